import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Harness } from "../../../foundation/contract/index.ts";
import { attempt } from "../../../gro/rollout/index.ts";
import { answerOf } from "../answer.ts";

const optionsSchema = z.strictObject({
  temperature: z.number().positive().default(1),
  /** Nucleus: the smallest set of tokens that holds this share of the probability. */
  topP: z.number().positive().max(1).default(1),
});
export type SampledDecodingOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * One sampled answer an item: what the policy's distribution is worth, not its likeliest answer alone.
 *
 * @example
 * defineRun({ task: parity(), refine: sampledDecoding({ temperature: 1 }) });
 */
export function sampledDecoding(options: SampledDecodingOptions = {}): Harness {
  const { temperature, topP } = readOptions("sampledDecoding()", optionsSchema, options);
  return {
    name: "sampled decoding",
    description: { temperature, topP },
    samplesPerItem: 1,
    ...(topP < 1 ? { needs: { topP: true } } : {}),
    answer: async (request) => {
      const groups = await attempt({ ...request, samples: 1, temperature, ...(topP < 1 ? { topP } : {}) });
      return groups.map(({ rollouts }) => answerOf(rollouts, rollouts[0]));
    },
  };
}
