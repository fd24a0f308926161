import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { weightedDatum } from "../rollout/index.ts";
import { drawsOver, stepsOver } from "./order.ts";
import { type GroupCounts, noRemedies, type UpdatePart } from "./part.ts";
import { clipNormOption, describeSteps, needsOfSteps, scheduledRate } from "./step-options.ts";
import { responsesOf, type TakenResponse } from "./taken.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** τ: the smaller, the more the best responses count for. */
  temperature: z.number().positive().default(0.4),
  /** Responses to one prompt at most, the best of them; all if left out. Another attempt after another answer is another prompt. */
  mostPerPrompt: z.number().int().min(1).optional(),
  epochs: z.number().positive().max(100).default(1),
  batch: z.number().int().min(1).default(64),
  learningRate: z.number().positive().default(1e-3),
  optimizerState: z.enum(["continued", "fresh"]).default("continued"),
  gradientClipNorm: clipNormOption,
});
export type RewardWeightedOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Imitates every response, each as much as its reward says (reward-weighted regression, RISE, arXiv 2407.18219, equation 4.4):
 *
 *   loss = −Σ w·log π(y|x) / Σ |y|,   w = exp((r − r_max)/τ)
 *
 * with r_max the greatest reward of all that is learnt from: one factor for all batches, so that a batch of worse responses moves the
 * weights less. A prompt without a reward above 0 has nothing to imitate, and is skipped and counted; the paper gives it the least
 * weight, which an optimiser that divides by the size of its gradients makes whole again where all are so. Void rollouts weigh nothing.
 *
 * @example
 * gro({ generate: samples({ samples: 4 }), reward: verifier(), update: rewardWeighted({ temperature: 0.4 }) });
 */
export function rewardWeighted(options: RewardWeightedOptions = {}): UpdatePart {
  const read = readOptions("rewardWeighted()", optionsSchema, options);
  const { temperature, mostPerPrompt, epochs, batch, optimizerState, gradientClipNorm } = read;
  const length = { epochs, batch };
  return {
    name: "reward-weighted",
    description: {
      temperature,
      ...(mostPerPrompt === undefined ? {} : { mostPerPrompt }),
      epochs,
      batch,
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "policy-gradient",
    needs: {
      signedWeights: true,
      ...needsOfSteps(read),
    },
    batch,
    optimizerState,
    compared: ({ groups, role }) => rewardedOf(groups, role, mostPerPrompt),
    teaches: "has a response with a reward above 0",
    steps: ({ newest }, learning) =>
      stepsOver(
        learning === undefined
          ? newest
          : rewardedOf(learning.groups, learning.role, mostPerPrompt).rewarded.length,
        length,
      ),
    update: (request) => {
      const { policy, groups, random, remedies = noRemedies } = request;
      const { rewarded } = rewardedOf(groups, policy.role, mostPerPrompt);
      const best = rewarded.reduce((most, { reward }) => Math.max(most, reward), 0);
      const total = stepsOver(rewarded.length, length);
      const draw = drawsOver(rewarded, length, random);
      return trainBatches({
        ...request,
        batchAt: (step) => weightedBatch(draw(step), { temperature, best }),
        learningRateAt: scheduledRate(read, remedies, total),
        gradientClipNorm,
      });
    },
  };
}

/** Of each prompt the best so many, and how many prompts have nothing that is worth more than nothing. */
function rewardedOf(
  groups: readonly ScoredGroup[],
  role: string,
  most = Number.POSITIVE_INFINITY,
): GroupCounts & { readonly rewarded: readonly TakenResponse[] } {
  const prompts = responsesOf(groups, role).flatMap((own) => [
    ...Map.groupBy(own, ({ example }) => example.context.join(",")).values(),
  ]);
  const taught = prompts.filter((answers) => answers.some(({ reward }) => reward > 0));
  const rewarded = taught.flatMap((answers) =>
    answers.length <= most ? answers : answers.toSorted((a, b) => b.reward - a.reward).slice(0, most),
  );
  return { rewarded, taught: taught.length, skipped: prompts.length - taught.length };
}

function weightedBatch(
  rewarded: readonly TakenResponse[],
  { temperature, best }: { readonly temperature: number; readonly best: number },
): Batch | undefined {
  if (rewarded.length === 0) return undefined;
  const tokens = rewarded.reduce((total, { example }) => total + example.response.length, 0);
  return {
    data: rewarded.map(({ example, reward }) =>
      weightedDatum(example, Math.exp((reward - best) / temperature) / tokens),
    ),
    loss: { name: "cross_entropy" },
    tokens,
    examples: rewarded.map(({ example }) => example),
  };
}
