import type { Json } from "../../../foundation/base/index.ts";
import type { Example, Item, ScoredGroup } from "../../../foundation/contract/index.ts";
import type { MethodContext, Tally } from "../../../gro/method/index.ts";
import { restoreGroup, storeGroup } from "../../../gro/rollout/index.ts";
import type { Remedies } from "../../../gro/update/index.ts";
import type { Measured } from "../../../lifecycle/evaluate/index.ts";
import {
  durable,
  durablePart,
  type RoundContext,
  type StageProgress,
  signalOf,
  streamOf,
} from "../context.ts";
import type { Lineage, RunState } from "../state.ts";
import { type ComparisonPoint, computeOf, type TrainedRound } from "./compute.ts";

/** A round as the run played it: the state that it began with, and the one that it left. */
export interface PlayedRound {
  readonly before: RunState;
  readonly after: RunState;
}

/** What a baseline is made with. */
export interface ArmRequest {
  /** Begins the names of its steps and its checkpoints, which no other has. */
  readonly key: string;
  readonly point: ComparisonPoint;
  /** Where the run began, and so where each baseline does. */
  readonly base: Lineage;
  /** The run's rounds to the point, and what their training said. */
  readonly rounds: readonly PlayedRound[];
  readonly trained: readonly TrainedRound[];
  /** The model had no weights, so that round 0 taught it. */
  readonly fromScratch: boolean;
  readonly progress: StageProgress;
}

/** What came of a baseline, or why there is nothing to compare with. */
export type Arm =
  | { readonly none: string }
  | {
      readonly measured: Measured;
      readonly compute: number;
      /** What was done, for people. */
      readonly text: string;
      /** Checkpoints that have served once it is stored. */
      readonly made: readonly string[];
    };

/** Trains in a baseline as a round would, under names of its own, and keeps no lineage: what it makes is thrown away. */
export function armMethodContext(
  context: RoundContext,
  request: Pick<ArmRequest, "key" | "base" | "progress">,
  round: {
    readonly round: number;
    readonly items: readonly Item[];
    readonly examples: readonly Example[];
    readonly older: readonly (readonly Example[])[];
    readonly current: Lineage["checkpoints"];
    readonly remedies?: Remedies;
  },
): MethodContext {
  const { definition, ledger, run, policies, tokenizer } = context;
  const { key, base, progress } = request;
  const { items, examples, older, current, remedies } = round;
  return {
    task: definition.task,
    tokenizer,
    items,
    base: examples,
    older,
    current,
    baseWeights: base.checkpoints,
    policies,
    // The round's own numbers: what differs is what the baseline is about.
    random: streamOf(context, round.round, "optimize"),
    checkpointName: (role, label) => `${run.id}/${key.replaceAll("/", "-")}-${round.round}-${role}-${label}`,
    durable: (name, work) => durable(context, `${key}/${round.round}/${name}`, null, work),
    durablePart: (name, work) => durablePart(context, `${key}/${round.round}/${name}`, null, work),
    storeGroups: (groups) => ledger.artifacts.put(rowsOf(groups)),
    readGroups: async (artifact) => (await ledger.artifacts.read(artifact)).map(restoreGroup),
    forgetGroups: (artifact) => ledger.artifacts.remove(artifact),
    storeTraining: async () => null,
    onProgress: progress,
    ...(remedies === undefined ? {} : { remedies }),
    ...signalOf(context),
  };
}

function* rowsOf(groups: readonly ScoredGroup[]): Generator<Json> {
  for (const group of groups) yield storeGroup(group);
}

export function computeOfAll(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, tally) => sum + computeOf(tally), 0);
}
