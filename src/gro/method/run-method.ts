import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { Method, Pass } from "../method.ts";
import type { ExampleCounts, StepLoss } from "../update/index.ts";
import { repetitionCadence, stepCadence, stretchesOf } from "./cadence.ts";
import type { MethodContext } from "./context.ts";
import { allItemsOf, type CheckpointsByRole, type PassOutcome, type PassRun, pick } from "./pass.ts";
import { runOnce } from "./run-once.ts";
import { runRepeatedly } from "./run-repeatedly.ts";
import { addTallies, emptyTally, type Tally, whyNothingTaught } from "./tally.ts";

/** Checkpoints that a pass saves of each role in a round, with so many examples; all but the last are of unfinished training. */
export function checkpointsOf(pass: Pass, examples: ExampleCounts): number {
  const { repeat, update } = pass;
  return playsOnce(pass)
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
    const outcome = await played(run);
    const { rolled } = outcome;
    let read: Promise<readonly ScoredGroup[]> | undefined;
    earlier = () => {
      read ??= rolled === null ? Promise.resolve([]) : context.readGroups(rolled);
      return read;
    };
    for (const [role, checkpoint] of Object.entries(outcome.checkpoints))
      if (checkpoint !== start[role]) made.add(checkpoint);
    weights = { ...weights, ...outcome.checkpoints };
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
  const tally = addTallies(tallies);
  return {
    checkpoints,
    rollouts,
    buffers,
    tally,
    losses,
    trained,
    blocked: blocked ?? whyNothingTaught(tally),
  };
}

async function played(run: PassRun): Promise<PassOutcome> {
  if (run.pass.itemsFrom !== undefined && (await allItemsOf(run)).length === 0) return nothingToAttempt(run);
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

/** The pass before it was to make the items, and made none that can be asked: nobody learns from nothing without a word. */
function nothingToAttempt({ pass, start, name }: PassRun): PassOutcome {
  return {
    checkpoints: pick(start, pass.roles),
    rolled: null,
    rollouts: [],
    buffers: {},
    tally: emptyTally,
    losses: [],
    blocked: `nothing was made that ${name} could learn from: what was proposed is invalid, was there before, or is solved always or never`,
    trained: [],
  };
}
