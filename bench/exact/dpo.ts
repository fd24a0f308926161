import { type PreferenceOptions, preference } from "whetstone";
import type { ExactCase } from "./exact-case.ts";
import { type PreferenceReference, preferenceCase, referenceFile } from "./preference.ts";
import { groupOfResponses } from "./rollouts.ts";

interface DpoReference extends PreferenceReference {
  readonly chosen: readonly (readonly number[])[];
  readonly rejected: readonly (readonly number[])[];
}

/** DPO on six pairs, three optimiser steps on all of them at once. */
export function dpoCase(options: PreferenceOptions = {}): ExactCase {
  const reference = referenceFile<DpoReference>("dpo");
  const { prompts, chosen, rejected, beta, learningRate, steps } = reference;
  const responses = prompts.map((_, index) => [chosen[index] ?? [], rejected[index] ?? []] as const);
  return preferenceCase({
    loss: "dpo",
    tolerance: 2e-6,
    reference,
    responses,
    groups: prompts.map((prompt, index) =>
      groupOfResponses(prompt, [
        { tokens: chosen[index] ?? [], reward: 1 },
        { tokens: rejected[index] ?? [], reward: 0 },
      ]),
    ),
    update: preference({
      loss: { name: "dpo", beta },
      steps: steps.length,
      batch: prompts.length,
      learningRate,
      ...options,
    }),
  });
}

export const dpo = dpoCase();
