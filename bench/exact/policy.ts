import { readFileSync } from "node:fs";
import { join } from "node:path";
import { copy, type PolicyGradientOptions, policyGradient, type ScoredGroup } from "whetstone";
import { randomStream } from "../../src/foundation/base/index.ts";
import type { ExactCase, Weights } from "./exact-case.ts";
import { groupOfResponses, noTokenizer } from "./rollouts.ts";

/** What reference/policy.py wrote. */
interface PolicyReference {
  readonly source: string;
  readonly learningRate: number;
  readonly prompts: readonly (readonly number[])[];
  /** By prompt and sample, as are rewards and logprobs. */
  readonly completions: readonly (readonly (readonly number[])[])[];
  readonly rewards: readonly (readonly number[])[];
  readonly logprobs: readonly (readonly (readonly number[])[])[];
  /** After each optimiser step. */
  readonly steps: readonly Weights[];
}

export interface PolicyCase {
  readonly loss: string;
  readonly tolerance: number;
  /** The rewards of the file are advantages already. */
  readonly given?: true;
  readonly update: PolicyGradientOptions;
}

/** A policy gradient on the rollouts of a reference file, as many optimiser steps as the other trainer took. */
export function policyCase({ loss, tolerance, given, update }: PolicyCase): ExactCase {
  const reference = JSON.parse(
    readFileSync(join(import.meta.dirname, "fixtures", `${loss}.json`), "utf8"),
  ) as PolicyReference;
  const { steps, source, learningRate } = reference;
  const groups = groupsOf(reference, given === true);
  return {
    loss,
    tolerance,
    source,
    expected: steps.at(-1) ?? {},
    train: async (model) => {
      const part = policyGradient({ learningRate, iterations: steps.length, ...update });
      await using start = await model.snapshot();
      await part.update({
        policy: { role: "solver", model, tokenizer: noTokenizer },
        groups,
        replay: { base: [], older: [] },
        task: copy(),
        models: { reference: async (role) => ({ role, sampler: start, tokenizer: noTokenizer }) },
        random: randomStream(0, "exact"),
        from: 0,
        to: steps.length,
      });
    },
  };
}

function groupsOf(
  { prompts, completions, rewards, logprobs }: PolicyReference,
  given: boolean,
): ScoredGroup[] {
  return prompts.map((prompt, group) =>
    groupOfResponses(
      prompt,
      (completions[group] ?? []).map((tokens, sample) => ({
        tokens,
        logprobs: logprobs[group]?.[sample] ?? [],
        reward: rewards[group]?.[sample] ?? null,
        parts: given ? { baseline: 0 } : {},
      })),
    ),
  );
}
