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

/** The engine's cost since it was opened, on top of what earlier processes recorded of this run. */
export function costMeter(record: RunLedger, engine: Engine, clock: Clock): () => Cost {
  const before = record
    .events()
    .reduce((cost, { event }) => (event.type === "cost-metered" ? event.cost : cost), nothing);
  const began = clock.monotonic();
  return () => {
    const now: Cost = { ...engine.cost(), wallSeconds: (clock.monotonic() - began) / 1000 };
    const total = { ...before };
    for (const key of Object.keys(nothing) as (keyof Cost)[]) total[key] += now[key];
    return total;
  };
}
