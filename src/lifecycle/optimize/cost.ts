import { updateOf } from "../../gro/method/index.ts";
import type { Method, Pass } from "../../gro/method.ts";
import { answersAsked } from "../../gro/reward/part.ts";
import { rejectionSampling } from "./methods/rejection/rejection-sampling.ts";

/** Items of the round that methods are compared on, and the share of answers that a reward is taken to keep. */
const items = 512;
const kept = 0.5;

/** Floating-point operations a token, in forward passes: reading or writing one is 2N, training on it 6N (design §8). */
const trainedPasses = 3;

/**
 * What a round of the method costs, at its defaults on 512 items, as a multiple of a round of `rejectionSampling()`: answers
 * written (those that a reward asks for included), read by earlier weights that an update compares with, and trained on, all as long as each other. A loss
 * without a name in the engine reads once more than it trains.
 */
export function relativeCost(method: Method): number {
  return workOf(method) / workOf(rejectionSampling());
}

function workOf({ passes, repeat = 1 }: Method): number {
  return repeat * passes.reduce((sum, pass) => sum + workOfPass(pass), 0);
}

function workOfPass(pass: Pass): number {
  const { generate, reward, roles, writers = roles, repeat } = pass;
  const attempted = Math.min(pass.items ?? items, items);
  const rollouts = attempted * generate.samplesPerItem;
  const asked = answersAsked(reward, generate.samplesPerItem * writers.length);
  const written = rollouts * writers.length * (1 + asked);
  const tried = rollouts * (reward.trainedPerRollout ?? 0) * trainedPasses;
  const trained = roles.reduce((sum, role) => {
    const update = updateOf(pass, role);
    const newest = update.learnsBy === "imitation" ? rollouts * kept : rollouts;
    const { batch = rollouts / (update.minibatches ?? 1) } = update;
    const examples = batch * update.steps({ newest, base: items });
    return sum + examples * (trainedPasses + (update.references?.length ?? 0));
  }, 0);
  return repeat * (written + tried + trained);
}
