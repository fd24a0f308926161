import { hashOf } from "../../../foundation/base/index.ts";
import type { Cost } from "../../../foundation/contract/index.ts";
import { type RunRecord, readLedger } from "../../../foundation/ledger/index.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { describeRun } from "../describe.ts";

/** Tokens that one worker trains and samples in a second. */
export interface Speed {
  readonly trained: number;
  readonly sampled: number;
  readonly source: "this folder's last run" | "a reference machine";
  /** By what factor it may be wrong either way; 1 where it was measured here. */
  readonly within: number;
}

/**
 * Operations a second and core, 6N a trained token and 2N a sampled one: of small decoders in fp32 (docs/benchmarks.md), and of
 * models whose matrices are large enough to keep a core busy: how busy depends on the processor's matrix units, its memory and the
 * precision, so that these are known within a factor only.
 */
const reference = {
  small: { train: 3.2e10, sample: 1.1e10, within: 1 },
  large: { train: 6e10, sample: 6e10, within: 3 },
};
const fewestOfLarge = 2e7;
/** Of an engine that the reference says nothing of. */
const withinElsewhere = 3;

const enoughSeconds = 5;

/**
 * How fast a model of so many parameters is: as in the folder's last run of this model on this engine, else as on a reference
 * machine. What counts is the time for which its workers were there, idle or not: while they wait for what is judged, stored and
 * decided, nobody else computes. A ledger knows only the time altogether, so the ratio of the two speeds is always the reference's.
 */
export function speedOf(folder: string, definition: RunDefinition, parameters: number): Speed {
  const { train, sample, within } = parameters < fewestOfLarge ? reference.small : reference.large;
  const expected = { trained: train / (6 * parameters), sampled: sample / (2 * parameters) };
  const cost = lastCost(folder, speedKey(describeRun(definition)));
  if (cost === undefined)
    return {
      ...expected,
      source: "a reference machine",
      within: definition.engine.name === "local" ? within : withinElsewhere,
    };
  const wouldTake = cost.tokensTrained / expected.trained + cost.tokensSampled / expected.sampled;
  const factor = wouldTake / Math.max(cost.busySeconds, cost.availableSeconds);
  return {
    trained: expected.trained * factor,
    sampled: expected.sampled * factor,
    source: "this folder's last run",
    within: 1,
  };
}

/** Runs of one key are as fast as each other. */
function speedKey(description: RunRecord["description"]): string {
  const {
    model = null,
    engine = null,
    precision = null,
  } = (description ?? {}) as ReturnType<typeof describeRun>;
  return hashOf({ model, engine, precision });
}

/** The cost of the last such run that took long enough to tell a speed by. */
function lastCost(folder: string, key: string): Cost | undefined {
  using ledger = readLedger({ folder });
  for (const { id, description } of ledger?.runs().reverse() ?? []) {
    if (speedKey(description) !== key) continue;
    const metered = ledger?.events(id).findLast(({ event }) => event.type === "cost-metered")?.event;
    if (metered?.type === "cost-metered" && metered.cost.busySeconds >= enoughSeconds) return metered.cost;
  }
  return undefined;
}
