import type { Cost } from "../../../foundation/contract/index.ts";
import { readLedger } from "../../../foundation/ledger/index.ts";

/** Tokens that one worker trains and samples in a second. */
export interface Speed {
  readonly trained: number;
  readonly sampled: number;
  readonly source: "this folder's last run" | "a reference machine";
}

/**
 * Operations a second and core, 6N a trained token and 2N a sampled one: of small decoders in fp32 (docs/benchmarks.md), and of
 * models whose matrices are large enough to keep a core busy.
 */
const reference = { small: { train: 3.2e10, sample: 1.1e10 }, large: { train: 6e10, sample: 6e10 } };
const fewestOfLarge = 2e7;

const enoughSeconds = 5;

/**
 * How fast a model of so many parameters is: as the folder's last run was, else as on a reference machine. A ledger knows
 * only busy seconds altogether, so the ratio of the two speeds is always the reference's.
 */
export function speedOf(folder: string, parameters: number): Speed {
  const { train, sample } = parameters < fewestOfLarge ? reference.small : reference.large;
  const expected = { trained: train / (6 * parameters), sampled: sample / (2 * parameters) };
  const cost = lastCost(folder);
  if (cost === undefined) return { ...expected, source: "a reference machine" };
  const wouldTake = cost.tokensTrained / expected.trained + cost.tokensSampled / expected.sampled;
  const factor = wouldTake / cost.busySeconds;
  return {
    trained: expected.trained * factor,
    sampled: expected.sampled * factor,
    source: "this folder's last run",
  };
}

/** The cost of the last run that took long enough to tell a speed by. */
function lastCost(folder: string): Cost | undefined {
  using ledger = readLedger({ folder });
  for (const { id } of ledger?.runs().reverse() ?? []) {
    const metered = ledger?.events(id).findLast(({ event }) => event.type === "cost-metered")?.event;
    if (metered?.type === "cost-metered" && metered.cost.busySeconds >= enoughSeconds) return metered.cost;
  }
  return undefined;
}
