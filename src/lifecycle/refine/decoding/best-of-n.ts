import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Harness, Rollout } from "../../../foundation/contract/index.ts";
import { meanLogprob } from "../answer.ts";
import { choosing } from "../choosing.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
});
export type BestOfNOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Several sampled answers, of which the one is given that the model itself finds likeliest a token: complete before cut
 * off, then by mean logprob, argmax over y of (1/|y|)·log π(y|x). What selects is known at inference; no verifier is asked.
 *
 * @example
 * defineRun({ task: reverse(), refine: bestOfN({ samples: 8, temperature: 0.8 }) });
 */
export function bestOfN(options: BestOfNOptions = {}): Harness {
  const { samples, temperature } = readOptions("bestOfN()", optionsSchema, options);
  return choosing({
    name: "best of n",
    description: { samples, temperature },
    samples,
    temperature,
    choose: ({ rollouts }) => likeliest(rollouts),
  });
}

function likeliest(rollouts: readonly Rollout[]): Rollout | undefined {
  const complete = rollouts.filter(({ response }) => response.complete);
  return (complete.length > 0 ? complete : rollouts).reduce<Rollout | undefined>(
    (best, one) => (best !== undefined && meanLogprob(best) >= meanLogprob(one) ? best : one),
    undefined,
  );
}
