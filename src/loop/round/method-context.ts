import type { Json } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { MethodContext } from "../../gro/method/index.ts";
import { restoreGroup, storeGroup } from "../../gro/rollout/index.ts";
import { durable, durablePart, type RoundContext, signalOf, streamOf } from "./context.ts";

/** What a method learns from and goes on from, what it is told, and under which names it does so. */
export interface MethodContextRequest
  extends Pick<
    MethodContext,
    | "items"
    | "demonstrated"
    | "base"
    | "older"
    | "buffers"
    | "current"
    | "baseWeights"
    | "championWeights"
    | "remedies"
    | "whyBlocked"
    | "storeTraining"
    | "onProgress"
  > {
  /** Whose numbers it draws. */
  readonly round: number;
  /** How the names of its steps begin. */
  readonly steps: string;
  /** How the names of its checkpoints begin, within the run. */
  readonly checkpoints: string;
}

/** Lets a method train in a round, or in a baseline: its steps are durable, and its rollouts are artifacts. */
export function methodContext(context: RoundContext, request: MethodContextRequest): MethodContext {
  const { definition, ledger, run, policies, tokenizer } = context;
  const { round, steps, checkpoints, ...learning } = request;
  return {
    ...learning,
    task: definition.task,
    tokenizer,
    policies,
    random: streamOf(context, round, "optimize"),
    checkpointName: (role, label) => `${run.id}/${checkpoints}-${role}-${label}`,
    durable: (name, work) => durable(context, `${steps}/${name}`, null, work),
    durablePart: (name, work) => durablePart(context, `${steps}/${name}`, null, work),
    storeGroups: (groups) => ledger.artifacts.put(rowsOf(groups)),
    readGroups: async (artifact) => (await ledger.artifacts.read(artifact)).map(restoreGroup),
    forgetGroups: (artifact) => ledger.artifacts.remove(artifact),
    ...signalOf(context),
  };
}

function* rowsOf(groups: readonly ScoredGroup[]): Generator<Json> {
  for (const group of groups) yield storeGroup(group);
}
