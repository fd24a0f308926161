import type { SampledSequence, SamplingParameters } from "../../../foundation/contract/index.ts";
import { assert } from "./assert.ts";
import type { Bench } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const maxTokens = 10;

/** Samples with and without a stop, which is the only difference between them. */
async function pairs(
  bench: Bench,
  stopOf: (free: SampledSequence) => Partial<SamplingParameters>,
): Promise<{ readonly free: SampledSequence; readonly stopped: SampledSequence }[]> {
  const sampler = await bench.sampler();
  const ask = async (seed: number, parameters: Partial<SamplingParameters>) => {
    const request = {
      prompt: bench.sequence(seed),
      samples: 1,
      seed,
      parameters: { maxTokens, ...parameters },
    };
    const [[sample] = []] = await sampler.sample([request]);
    return sample as SampledSequence;
  };
  const all = [];
  for (const seed of [1, 2, 3, 4]) {
    const free = await ask(seed, {});
    all.push({ free, stopped: await ask(seed, stopOf(free)) });
  }
  return all;
}

/** The stopped sample is the free one as far as `length` tokens, and says why it ended. */
function assertCut({ free, stopped }: Awaited<ReturnType<typeof pairs>>[number], length: number): void {
  const expected = free.tokens.subarray(0, length).join();
  assert(stopped.tokens.join() === expected, `the sample is ${stopped.tokens.join()} instead of ${expected}`);
  assert(stopped.logprobs.length === length, `${stopped.logprobs.length} logprobs for ${length} tokens`);
  assert(stopped.stopReason === "stop", `a sample that was stopped ended by "${stopped.stopReason}"`);
}

export const stopChecks: readonly CheckDefinition[] = [
  {
    name: "a stop token ends a sample, and is its last token",
    fast: true,
    check: async (bench) => {
      const tokenAt = (place: number) => (free: SampledSequence) => free.tokens[place] as number;
      for (const chosen of [tokenAt(0), tokenAt(5), tokenAt(maxTokens - 1)])
        for (const pair of await pairs(bench, (free) => ({ stopTokens: [chosen(free)] })))
          assertCut(pair, pair.free.tokens.indexOf(chosen(pair.free)) + 1);
    },
  },
  {
    name: "a stop string ends a sample with the token that completes it",
    excuse: ({ stopStrings }) => (stopStrings ? undefined : "it has no stop strings"),
    check: async (bench) => {
      // Across two tokens, and up to the middle of the second one's bytes.
      const stringOf = ({ tokens }: SampledSequence) => `${tokens[3]}][${tokens[4]}`;
      for (const pair of await pairs(bench, (free) => ({ stopStrings: ["not there", stringOf(free)] }))) {
        const texts = Array.from(pair.free.tokens, (_, place) =>
          Array.from(pair.free.tokens.subarray(0, place + 1), (id) => `[${id}]`).join(""),
        );
        const place = texts.findIndex((text) => text.includes(stringOf(pair.free)));
        assertCut(pair, place + 1);
      }
    },
  },
  {
    name: "a stop that does not come changes nothing",
    check: async (bench) => {
      const absent = (free: SampledSequence) =>
        bench.tokens.filter((id) => !free.tokens.includes(id)).slice(0, 1);
      for (const { free, stopped } of await pairs(bench, (sample) => ({ stopTokens: absent(sample) }))) {
        assert(
          stopped.tokens.join() === free.tokens.join(),
          "a stop token that does not come changes a sample",
        );
        assert(
          stopped.stopReason === "length",
          `a sample that nothing stopped ended by "${stopped.stopReason}"`,
        );
      }
    },
  },
];
