import type { Method, Pass } from "../method.ts";
import type { ExampleCounts, StepLoss } from "../update/index.ts";
import type { MethodContext } from "./context.ts";
import { type CheckpointsByRole, type PassOutcome, pick } from "./pass.ts";
import { runOnce, stepsBetweenCheckpoints } from "./run-once.ts";
import { repetitionsBetweenCheckpoints, runRepeatedly } from "./run-repeatedly.ts";
import { addTallies, type Tally } from "./tally.ts";

/** Checkpoints that a pass saves in a round, over its roles, with so many examples. */
export function checkpointsOf({ repeat, roles, update }: Pass, examples: ExampleCounts): number {
  const each =
    repeat === 1
      ? Math.ceil(update.steps(examples) / stepsBetweenCheckpoints)
      : Math.ceil(repeat / repetitionsBetweenCheckpoints);
  return each * roles.length;
}

/** A role that the method does not deliver keeps the weights that it had. */
export type MethodOutcome = PassOutcome;

/** Runs a method's passes in order, each part of the work once over all attempts at the round. */
export async function runMethod(method: Method, context: MethodContext): Promise<MethodOutcome> {
  let weights: CheckpointsByRole = context.current;
  const rollouts: string[] = [];
  const tallies: Tally[] = [];
  const losses: StepLoss[] = [];
  let blocked: string | null = null;
  const trained: string[] = [];
  for (const [index, pass] of method.passes.entries()) {
    const start = pass.start === "base" ? { ...weights, ...pick(context.baseWeights, pass.roles) } : weights;
    const run = { method, pass, name: `pass-${index}`, start, context };
    const outcome = pass.repeat === 1 ? await runOnce(run) : await runRepeatedly(run);
    weights = { ...weights, ...outcome.checkpoints };
    rollouts.push(...outcome.rollouts);
    tallies.push(outcome.tally);
    losses.push(...outcome.losses);
    trained.push(...outcome.trained);
    blocked = outcome.blocked;
    if (blocked !== null) break;
  }
  const checkpoints = { ...context.current, ...pick(weights, method.deliver) };
  return { checkpoints, rollouts, tally: addTallies(tallies), losses, trained, blocked };
}
