import type { Clock } from "../../foundation/base/index.ts";
import type { Cost, Engine } from "../../foundation/contract/index.ts";
import type { RunLedger } from "../../foundation/ledger/index.ts";

const nothing: Cost = {
  tokensSampled: 0,
  tokensTrained: 0,
  optimizerSteps: 0,
  busySeconds: 0,
  availableSeconds: 0,
  wallSeconds: 0,
};

export interface CostMeter {
  /** The engine's cost since it was opened, on top of what earlier processes recorded of this run. */
  read(): Cost;
  /** From now on sampled tokens are not counted, until the returned function is called with how many are charged instead. */
  seal(): (charged: number) => void;
}

export function costMeter(record: RunLedger, engine: Engine, clock: Clock): CostMeter {
  const before = record
    .events()
    .reduce((cost, { event }) => (event.type === "cost-metered" ? event.cost : cost), nothing);
  const began = clock.monotonic();
  let sealedAt: number | null = null;
  let correction = 0;
  return {
    read: () => {
      const { tokensSampled, ...now } = engine.cost();
      const shown: Cost = {
        ...now,
        tokensSampled: (sealedAt ?? tokensSampled) + correction,
        wallSeconds: (clock.monotonic() - began) / 1000,
      };
      const total = { ...before };
      for (const key of Object.keys(nothing) as (keyof Cost)[]) total[key] += shown[key];
      return total;
    },
    seal: () => {
      const begun = engine.cost().tokensSampled;
      sealedAt = begun;
      return (charged) => {
        correction += charged - (engine.cost().tokensSampled - begun);
        sealedAt = null;
      };
    },
  };
}
