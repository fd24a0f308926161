import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Harness, Rollout } from "../../../foundation/contract/index.ts";
import { attempt } from "../../../gro/rollout/index.ts";
import { answerOf, meanLogprob } from "../answer.ts";
import { choosing } from "../choosing.ts";
import { likelihoodBy } from "../likelihood-by.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  /** The role whose weights rank the answers; those that answer if left out. */
  by: z.string().min(1).optional(),
});
export type BestOfNOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Several sampled answers, of which the one is given that the model itself finds likeliest a token: complete before cut
 * off, then by mean logprob, argmax over y of (1/|y|)·log π(y|x). What selects is known at inference; no verifier is asked.
 *
 * With `by`, weights that the method delivers beside those that answer do the ranking: argmax over y of log π_by(y|x), as V-STaR's
 * verifier does (arXiv 2402.06457). They are saved, loaded back and measured with the candidate, and stand in its certificate.
 *
 * @example
 * defineRun({ task: reverse(), refine: bestOfN({ samples: 8, temperature: 0.8 }) });
 * defineRun({ task: reverse(), optimize: vStar(), refine: bestOfN({ samples: 8, by: "verifier" }) });
 */
export function bestOfN(options: BestOfNOptions = {}): Harness {
  const { samples, temperature, by } = readOptions("bestOfN()", optionsSchema, options);
  if (by !== undefined) return rankedBy(by, { samples, temperature });
  return choosing({
    name: "best of n",
    description: { samples, temperature },
    samples,
    temperature,
    choose: ({ rollouts }) => likeliest(rollouts),
  });
}

function rankedBy(
  by: string,
  { samples, temperature }: { readonly samples: number; readonly temperature: number },
): Harness {
  return {
    name: "best of n",
    description: { samples, temperature, by },
    samplesPerItem: samples,
    asks: [by],
    answer: async (request) => {
      const groups = await attempt({ ...request, samples, temperature });
      const likelihoods = await likelihoodBy(by, groups, request);
      const likelihood = (rollout: Rollout): number => likelihoods.get(rollout) ?? Number.NEGATIVE_INFINITY;
      return groups.map(({ rollouts }) => answerOf(rollouts, likeliest(rollouts, likelihood)));
    },
  };
}

function likeliest(
  rollouts: readonly Rollout[],
  likelihood: (rollout: Rollout) => number = meanLogprob,
): Rollout | undefined {
  const complete = rollouts.filter(({ response }) => response.complete);
  return (complete.length > 0 ? complete : rollouts).reduce<Rollout | undefined>(
    (best, one) => (best !== undefined && likelihood(best) >= likelihood(one) ? best : one),
    undefined,
  );
}
