import { type UnpairedPreferenceOptions, unpairedPreference } from "whetstone";
import type { ExactCase } from "./exact-case.ts";
import { exactRandom, type PreferenceReference, preferenceCase, referenceFile } from "./preference.ts";
import { groupOfResponses } from "./rollouts.ts";

interface KtoReference extends PreferenceReference {
  readonly responses: readonly (readonly number[])[];
  readonly wanted: readonly boolean[];
}

/**
 * KTO on six responses, an optimiser step on all of them at once. Whose response is set after whose prompt, for the point of reference,
 * depends on their order, and ours is drawn anew each epoch: so it is compared after the first step, with the responses laid out so that
 * our first order is the other trainer's.
 */
export function ktoCase(options: UnpairedPreferenceOptions = {}): ExactCase {
  const { steps, ...reference } = referenceFile<KtoReference>("kto");
  const { prompts, responses, wanted, beta, learningRate } = reference;
  const order = exactRandom.fork("epoch-0").shuffle(prompts.map((_, index) => index));
  const laidOut: number[] = [];
  for (const [place, from] of order.entries()) laidOut[from] = place;
  return preferenceCase({
    loss: "kto",
    tolerance: 2e-6,
    reference: { ...reference, steps: steps.slice(0, 1) },
    responses: prompts.map((_, index) => [responses[index] ?? [], responses.at(index - 1) ?? []] as const),
    groups: laidOut.map((index) =>
      groupOfResponses(prompts[index] ?? [], [
        { tokens: responses[index] ?? [], reward: wanted[index] ? 1 : 0 },
      ]),
    ),
    update: unpairedPreference({ beta, steps: 1, batch: prompts.length, learningRate, ...options }),
  });
}

export const kto = ktoCase();
