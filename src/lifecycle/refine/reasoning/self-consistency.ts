import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Harness } from "../../../foundation/contract/index.ts";
import { choosing, mostFrequent } from "../choosing.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  /** What of a response is voted on, such as its last character; the whole text if left out. */
  vote: z
    .custom<(text: string) => string>((value) => typeof value === "function", "expected a function")
    .optional(),
});
export type SelfConsistencyOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Several sampled answers, of which the most frequent is given (arXiv 2203.11171): argmax over a of Σ_i 1[a_i = a]. Answers
 * that the token limit cut off have no vote unless all were; on a tie the likelier answer wins, by mean logprob.
 *
 * @example
 * defineRun({ task: parity(), refine: selfConsistency({ samples: 9, vote: (text) => text.slice(-1) }) });
 */
export function selfConsistency(options: SelfConsistencyOptions = {}): Harness {
  const { samples, temperature, vote } = readOptions("selfConsistency()", optionsSchema, options);
  return choosing({
    name: "self-consistency",
    description: { samples, temperature, vote: vote === undefined ? "the whole text" : vote.toString() },
    samples,
    temperature,
    choose: ({ rollouts }) => {
      const complete = rollouts.filter(({ response }) => response.complete);
      const voters = complete.length > 0 ? complete : rollouts;
      return mostFrequent(voters, ({ response }) =>
        vote === undefined ? response.text : vote(response.text),
      );
    },
  });
}
