import { readFileSync } from "node:fs";
import { join } from "node:path";
import { copy, type Sampler, type ScoredGroup, type UpdatePart } from "whetstone";
import { randomStream } from "../../src/foundation/base/index.ts";
import type { ExactCase, Weights } from "./exact-case.ts";
import { noTokenizer } from "./rollouts.ts";

/** What reference/preference.py wrote, of either loss. */
export interface PreferenceReference {
  readonly source: string;
  readonly learningRate: number;
  readonly beta: number;
  readonly prompts: readonly (readonly number[])[];
  /** Logprobs under the reference, of two responses to each prompt. */
  readonly references: readonly (readonly (readonly number[])[])[];
  /** After each optimiser step. */
  readonly steps: readonly Weights[];
}

export function referenceFile<T extends PreferenceReference>(loss: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", `${loss}.json`), "utf8")) as T;
}

export interface PreferenceCase {
  readonly loss: string;
  readonly tolerance: number;
  readonly reference: PreferenceReference;
  readonly groups: readonly ScoredGroup[];
  /** The two responses to each prompt whose reference logprobs the file has. */
  readonly responses: readonly (readonly [readonly number[], readonly number[]])[];
  readonly update: UpdatePart;
}

export const exactRandom = randomStream(0, "exact");

/** An update from preferences on the responses of a reference file, as many optimiser steps as the other trainer took. */
export function preferenceCase({
  loss,
  tolerance,
  reference,
  groups,
  responses,
  update,
}: PreferenceCase): ExactCase {
  const { source, prompts, references, steps } = reference;
  const told = new Map(
    prompts.flatMap((prompt, index) =>
      (responses[index] ?? []).map((response, which): [string, readonly number[]] => [
        [...prompt, ...response].join(" "),
        references[index]?.[which] ?? [],
      ]),
    ),
  );
  return {
    loss,
    tolerance,
    source,
    expected: steps.at(-1) ?? {},
    train: (model) =>
      update.update({
        policy: { role: "solver", model, tokenizer: noTokenizer },
        groups,
        replay: { base: [], older: [] },
        task: copy(),
        models: { reference: async (role) => ({ role, sampler: telling(told), tokenizer: noTokenizer }) },
        random: exactRandom,
        from: 0,
        to: steps.length,
      }),
  };
}

/** The reference as the other trainer had it: its logprobs, and nothing else. */
function telling(told: ReadonlyMap<string, readonly number[]>): Sampler {
  return {
    id: "reference",
    weightVersion: "reference",
    sample: () => Promise.reject(new Error("the reference says nothing")),
    logprobs: async (sequences) =>
      sequences.map((sequence) => {
        const own = told.get(sequence.join(" "));
        if (own === undefined) throw new Error(`nothing is known of ${sequence.join(" ")}`);
        const logprobs = new Float32Array(sequence.length).fill(Number.NaN);
        logprobs.set(own, sequence.length - own.length);
        return logprobs;
      }),
    [Symbol.asyncDispose]: async () => {},
  };
}
