import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { Method, Pass } from "../method.ts";
import type { ExampleCounts, StepLoss } from "../update/index.ts";
import { repetitionCadence, stepCadence, stretchesOf } from "./cadence.ts";
import type { MethodContext } from "./context.ts";
import { type CheckpointsByRole, type PassOutcome, type PassRun, pick } from "./pass.ts";
import { runOnce } from "./run-once.ts";
import { runRepeatedly } from "./run-repeatedly.ts";
import { addTallies, type Tally, whyNothingTaught } from "./tally.ts";

/** Checkpoints that a pass saves of each role in a round, with so many examples; all but the last are of unfinished training. */
export function checkpointsOf({ repeat, update }: Pass, examples: ExampleCounts): number {
  return repeat === 1
    ? stretchesOf(update.steps(examples), stepCadence).length
    : stretchesOf(repeat, repetitionCadence).length;
}

/** A role that the method does not deliver keeps the weights that it had. */
export type MethodOutcome = Omit<PassOutcome, "rolled">;

/** Runs a method's passes in order, each part of the work once over all attempts at the round. */
export async function runMethod(method: Method, context: MethodContext): Promise<MethodOutcome> {
  let weights: CheckpointsByRole = context.current;
  const rollouts: string[] = [];
  const tallies: Tally[] = [];
  const losses: StepLoss[] = [];
  const made = new Set<string>();
  let blocked: string | null = null;
  const trained: string[] = [];
  let earlier = async (): Promise<readonly ScoredGroup[]> => [];
  for (const [index, pass] of method.passes.entries()) {
    const start = pass.start === "base" ? { ...weights, ...pick(context.baseWeights, pass.roles) } : weights;
    const run = { method, pass, name: `pass-${index}`, start, earlier, context };
    const outcome = await played(run);
    const { rolled } = outcome;
    earlier = async () => (rolled === null ? [] : context.readGroups(rolled));
    for (const [role, checkpoint] of Object.entries(outcome.checkpoints))
      if (checkpoint !== start[role]) made.add(checkpoint);
    weights = { ...weights, ...outcome.checkpoints };
    rollouts.push(...outcome.rollouts);
    tallies.push(outcome.tally);
    losses.push(...outcome.losses);
    trained.push(...outcome.trained);
    blocked = outcome.blocked;
    if (blocked !== null) break;
  }
  const checkpoints = { ...context.current, ...pick(weights, method.deliver) };
  // What one pass made for the next to begin with has served.
  const kept = new Set([...Object.values(checkpoints), ...Object.values(context.baseWeights)]);
  for (const checkpoint of made) if (!kept.has(checkpoint)) await context.policies.discard(checkpoint);
  const tally = addTallies(tallies);
  return { checkpoints, rollouts, tally, losses, trained, blocked: blocked ?? whyNothingTaught(tally) };
}

async function played(run: PassRun): Promise<PassOutcome> {
  try {
    return await (run.pass.repeat === 1 ? runOnce(run) : runRepeatedly(run));
  } finally {
    await run.context.policies.releaseReferences();
  }
}
