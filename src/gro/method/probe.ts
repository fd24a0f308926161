import type { Datum, ForwardResult, Policy, Rollout, Sampler } from "../../foundation/contract/index.ts";
import { exampleOfRollout, positionsOf, sampledOf } from "../rollout/index.ts";
import type { Tally } from "./tally.ts";

/** Rollouts whose logprobs are computed again each time: a check, not a second pass over all data. */
const rolloutsChecked = 64;
/** Fewer where it is done before every batch. */
const rolloutsAhead = 16;
const beyondMeasure = 1e6;

/**
 * Compares three numbers that must be one: the logprob with which a token was sampled, what the sampler computes for it
 * now, and what the trainer computes. Sampled against the trainer is the *mismatch*, sampler against the trainer the
 * *freshness* (a stale or altered sampler shows here).
 */
export async function probePolicy(
  policy: Policy,
  sampler: Sampler,
  rollouts: readonly Rollout[],
  signal?: AbortSignal,
): Promise<Partial<Tally>> {
  const probe = probeFrom(rollouts, rolloutsChecked);
  if (probe === undefined) return {};
  const { checked, positions } = probe;
  const [recomputed, fresh] = await Promise.all([
    ofTrainer(policy, probe, signal),
    sampler.logprobs(probe.wholes, signal ? { signal } : {}),
  ]);
  let mismatchSum = 0;
  let mismatchCount = 0;
  let mismatchMax = 0;
  let mismatchKlSum = 0;
  let freshness = 0;
  checked.forEach((rollout, index) => {
    const start = positions[index]?.start ?? 0;
    const trainer = recomputed.logprobs[index];
    if (trainer === undefined) return;
    sampledOf(rollout).logprobs.forEach((logprob, offset) => {
      const now = trainer[start + offset];
      const difference = distance(logprob, now);
      mismatchSum += difference;
      mismatchCount += 1;
      mismatchMax = Math.max(mismatchMax, difference);
      mismatchKlSum += impliedKl(logprob, now);
      freshness = Math.max(freshness, distance(fresh[index]?.[start + offset + 1], now));
    });
  });
  const { tolerance } = policy.model.info;
  const allowed =
    tolerance === undefined
      ? {}
      : { mismatchTolerance: tolerance.logprob, mismatchMeanTolerance: tolerance.meanLogprob };
  return { mismatchSum, mismatchCount, mismatchMax, mismatchKlSum, freshness, ...allowed };
}

/**
 * The *freshness* of a sampler that will write while its policy learns: the trainer is asked at once, before it takes a step, about what
 * was written before; the sampler when it is there.
 */
export function probeBeforeSteps(
  policy: Policy,
  rollouts: readonly Rollout[],
  signal?: AbortSignal,
): (sampler: Sampler) => Promise<Partial<Tally>> {
  const probe = probeFrom(rollouts, rolloutsAhead);
  if (probe === undefined) return async () => ({});
  const asked = ofTrainer(policy, probe, signal);
  asked.catch(() => undefined);
  return async (sampler) => {
    const [{ logprobs }, fresh] = await Promise.all([
      asked,
      sampler.logprobs(probe.wholes, signal ? { signal } : {}),
    ]);
    const differences = probe.positions.flatMap(({ tokens, start }, index) =>
      Array.from({ length: tokens.length - start }, (_, offset) =>
        distance(fresh[index]?.[start + offset + 1], logprobs[index]?.[start + offset]),
      ),
    );
    return { freshness: Math.max(...differences) };
  };
}

interface Probe {
  readonly checked: readonly Rollout[];
  readonly positions: readonly ReturnType<typeof positionsOf>[];
  readonly wholes: readonly Int32Array[];
}

/** Some of the rollouts, evenly; undefined where none has a response. */
function probeFrom(rollouts: readonly Rollout[], most: number): Probe | undefined {
  const stride = Math.max(1, Math.floor(rollouts.length / most));
  const checked = rollouts
    .filter((rollout, index) => index % stride === 0 && exampleOfRollout(rollout).response.length > 0)
    .slice(0, most);
  if (checked.length === 0) return undefined;
  // As it was written: under the hint, where there was one.
  const examples = checked.map(({ learnAfter, ...rollout }) => exampleOfRollout(rollout));
  const wholes = examples.map(({ context, response }) => Int32Array.from([...context, ...response]));
  return { checked, positions: examples.map(positionsOf), wholes };
}

/** What the trainer computes for a probe's responses. */
function ofTrainer({ model }: Policy, { positions }: Probe, signal?: AbortSignal): Promise<ForwardResult> {
  const data = positions.map(
    ({ tokens, targets, start }): Datum => ({
      tokens,
      targets,
      weights: new Float32Array(tokens.length).fill(1, start),
    }),
  );
  const options = { loss: { name: "cross_entropy" }, logprobs: "all" } as const;
  return model.forward(data, { ...options, ...(signal ? { signal } : {}) });
}

/**
 * One token's part of the KL of the sampler from the trainer: e^d − 1 − d with d = log trainer − log sampler, never negative,
 * whose mean over sampled tokens is the KL (the estimator k3 of Schulman, "Approximating KL divergence", 2020).
 */
function impliedKl(sampled: number, trainer: number | undefined): number {
  const difference = (trainer ?? Number.NaN) - sampled;
  const part = Math.expm1(difference) - difference;
  return Number.isFinite(part) ? Math.min(part, beyondMeasure) : beyondMeasure;
}

/** A logprob that is missing or no number differs beyond every tolerance, by an amount that can be summed and stored. */
function distance(one: number | undefined, other: number | undefined): number {
  const difference = Math.abs((one ?? Number.NaN) - (other ?? Number.NaN));
  return Number.isFinite(difference) ? difference : beyondMeasure;
}
