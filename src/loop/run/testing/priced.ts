import type { Engine, EnginePrices } from "../../../foundation/contract/index.ts";
import type { EngineDefinition } from "../../../model/engine/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";

/** The tabular engine of {@link promotingRun}, as if it charged for what it does. */
export function pricedTable(prices: EnginePrices): EngineDefinition {
  const inner = tabular({ horizon: 2, backOff: 2, deviation: 0 });
  return {
    ...inner,
    ...(inner.abilities === undefined ? {} : { abilities: { ...inner.abilities, prices } }),
    open: async (context) => {
      const engine = await inner.open(context);
      const priced: Engine = {
        name: engine.name,
        capabilities: async () => ({ ...(await engine.capabilities()), prices }),
        createModel: (options) => engine.createModel(options),
        loadSampler: (options) => engine.loadSampler(options),
        cost: () => engine.cost(),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
      return priced;
    },
  };
}
