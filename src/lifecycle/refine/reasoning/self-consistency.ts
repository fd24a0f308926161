import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Harness, Rollout } from "../../../foundation/contract/index.ts";
import { attempt } from "../../../gro/rollout/index.ts";
import { answerOf, meanLogprob } from "../answer.ts";

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
  return {
    name: "self-consistency",
    description: { samples, temperature, vote: vote === undefined ? "the whole text" : vote.toString() },
    samplesPerItem: samples,
    answer: async (request) => {
      const groups = await attempt({ ...request, samples, temperature });
      return groups.map(({ rollouts }) =>
        answerOf(rollouts, mostFrequent(rollouts, vote ?? ((text) => text))),
      );
    },
  };
}

function mostFrequent(rollouts: readonly Rollout[], vote: (text: string) => string): Rollout | undefined {
  const complete = rollouts.filter(({ response }) => response.complete);
  const voters = complete.length > 0 ? complete : rollouts;
  const camps = [...Map.groupBy(voters, ({ response }) => vote(response.text)).values()];
  const best = camps.map((camp) => ({
    votes: camp.length,
    likeliest: camp.reduce((one, other) => (meanLogprob(other) > meanLogprob(one) ? other : one)),
  }));
  return best.sort((a, b) => b.votes - a.votes || meanLogprob(b.likeliest) - meanLogprob(a.likeliest))[0]
    ?.likeliest;
}
