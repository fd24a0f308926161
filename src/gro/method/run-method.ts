import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { Method, Pass } from "../method.ts";
import type { ExampleCounts, StepLoss } from "../update/index.ts";
import { repetitionCadence, stepCadence, stretchesOf } from "./cadence.ts";
import type { MethodContext } from "./context.ts";
import { allItemsOf, type CheckpointsByRole, type PassOutcome, type PassRun, pick } from "./pass.ts";
import { runOnce } from "./run-once.ts";
import { runRepeatedly } from "./run-repeatedly.ts";
import { addTallies, type Tally, whyNothingTaught } from "./tally.ts";
import { teachingOf } from "./teaching.ts";

/** Checkpoints that a pass saves of each role in a round, with so many examples; all but the last are of unfinished training. */
export function checkpointsOf(pass: Pass, examples: ExampleCounts): number {
  const { repeat, update } = pass;
  return playsOnce(pass)
    ? stretchesOf(update.steps(examples), stepCadence).length
    : stretchesOf(repeat, repetitionCadence).length;
}

/** A role that the method does not deliver keeps the weights that it had. */
export interface MethodOutcome extends Omit<PassOutcome, "rolled" | "idle"> {
  /** Of each pass that had nothing to attempt, what that means, in words; the passes after it went on. */
  readonly empty: readonly string[];
}

/** Runs a method's passes in order, each part of the work once over all attempts at the round. */
export async function runMethod(method: Method, context: MethodContext): Promise<MethodOutcome> {
  let weights: CheckpointsByRole = context.current;
  const rollouts: string[] = [];
  const tallies: Tally[] = [];
  const losses: StepLoss[] = [];
  const made = new Set<string>();
  const empty: string[] = [];
  let buffers = context.buffers ?? {};
  let blocked: string | null = null;
  const trained: string[] = [];
  let earlier = async (): Promise<readonly ScoredGroup[]> => [];
  const passes = Array.from({ length: method.repeat ?? 1 }, () => method.passes).flat();
  for (const [index, pass] of passes.entries()) {
    const turn = Math.floor(index / method.passes.length);
    const start = pass.start === "base" ? { ...weights, ...pick(context.baseWeights, pass.roles) } : weights;
    const run = {
      method,
      pass,
      name: `pass-${index}`,
      start,
      found: weights,
      turn,
      earlier,
      buffers,
      context,
    };
    if (pass.itemsFrom !== undefined && (await allItemsOf(run)).length === 0) {
      empty.push(pass.noItems ?? "there was no item to attempt");
      earlier = async () => [];
      continue;
    }
    const outcome = await played(run);
    const { rolled } = outcome;
    let read: Promise<readonly ScoredGroup[]> | undefined;
    earlier = () => {
      read ??= rolled === null ? Promise.resolve([]) : context.readGroups(rolled);
      return read;
    };
    for (const [role, checkpoint] of Object.entries(outcome.checkpoints))
      if (checkpoint !== start[role]) made.add(checkpoint);
    // Who learnt nothing keeps what the round has made of it, wherever the pass would have begun.
    weights = { ...weights, ...outcome.checkpoints, ...pick(weights, outcome.idle) };
    rollouts.push(...outcome.rollouts);
    buffers = { ...buffers, ...outcome.buffers };
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
  const tally = addTallies([...tallies, { passesEmpty: empty.length }]);
  return {
    checkpoints,
    rollouts,
    buffers,
    tally,
    losses,
    trained,
    empty,
    blocked: blocked ?? whyNothingTaught(tally, empty, teachingOf(method)),
  };
}

async function played(run: PassRun): Promise<PassOutcome> {
  try {
    return await (playsOnce(run.pass) ? runOnce(run) : runRepeatedly(run));
  } finally {
    await run.context.policies.releaseReferences();
  }
}

/** What refills its batch knows only then what it learns from: rollouts and steps are one. */
function playsOnce({ repeat, refill }: Pass): boolean {
  return repeat === 1 && refill === undefined;
}
