import { z } from "zod";
import { referenceWeights } from "../../rollout/index.ts";
import { stepOptions } from "../step-options.ts";
import { advantageEstimators, groupEstimators } from "./advantages.ts";
import { averages } from "./policy-batch.ts";
import { type PolicyLoss, usualBeta } from "./policy-loss.ts";

export const klSchema = z.strictObject({
  /** What a nat of it weighs. */
  coefficient: z.number().positive().default(0.04),
  /**
   * `loss`: k3, token by token (GRPO). `reward`: log π − log π_ref of the sampled tokens, off the reward: of the whole response where
   * advantages are of a group, else token by token off what is still to come.
   */
  in: z.enum(["loss", "reward"]).default("loss"),
  /** The weights that the run began its rounds with, those that the pass began with, or the champion's. */
  reference: referenceWeights.default("base"),
});

const clipped = ["ppo", "gspo", "cispo"];

export const policyGradientSchema = z
  .strictObject({
    /** `importance_sampling` corrects for the sampler's probabilities; `ppo`, `gspo` and `cispo` also clip the ratio. */
    loss: z.enum(["importance_sampling", "ppo", "gspo", "cispo", "dro"]).default("importance_sampling"),
    /** Bounds of the ratio: .8 and 1.2 if left out, for `cispo` 0 and 4. */
    clipLow: z.number().min(0).max(1).optional(),
    clipHigh: z.number().min(1).optional(),
    /** Of `dro`: what half a squared distance from the sampler's logprob weighs beside the token's advantage; .05 if left out. */
    beta: z.number().min(0).optional(),
    /** What a reward is compared with. */
    advantages: z.enum(advantageEstimators).default("group"),
    /** Divide a group's centred rewards by their standard deviation (GRPO), or not (Dr. GRPO, arXiv 2503.20783). */
    divideByDeviation: z.boolean().default(true),
    /** Divide by the deviation of a sample (÷ n − 1), as TRL and verl do, not by the group's own (÷ n). */
    sampleDeviation: z.boolean().default(false),
    /** Added to the deviation. */
    epsilon: z.number().min(0).default(0),
    /**
     * Items of a kind (a stratum of the task) are compared with each other, each kind apart: their attempts are one group, or one batch
     * (task-relative REINFORCE++, arXiv 2505.03335, is `batch` so, HRPO, arXiv 2601.07055, is `group` so).
     */
    byKind: z.boolean().default(false),
    /** What weighs the same: every token of the batch, every response, or every token as if responses were of one length. */
    average: z.enum(averages).default("tokens"),
    /** Of `constant`: that length; the task's longest response to the items if left out. */
    length: z.number().int().min(1).optional(),
    /** Times that a batch of rollouts is learnt from. */
    iterations: z.number().int().min(1).default(1),
    /** Optimiser steps that a batch is divided into, each time in another order. */
    minibatches: z.number().int().min(1).default(1),
    /** Keeps the policy near earlier weights; nothing does if left out. */
    kl: klSchema.optional(),
    /** Of each group only the first so many rollouts are trained; all of them are rewarded. */
    trained: z.number().int().min(1).optional(),
    /** Optimiser steps that a rollout's weights may lie back; older rollouts are left out and counted. */
    maxStaleness: z.number().int().min(0).optional(),
    ...stepOptions(3e-4),
  })
  .superRefine((read, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    const given = (path: keyof typeof read): boolean => read[path] !== undefined;
    for (const bound of ["clipLow", "clipHigh"] as const)
      if (given(bound) && !clipped.includes(read.loss))
        refuse(bound, `only the losses ${clipped.join(", ")} clip the ratio`);
    if (given("beta") && read.loss !== "dro") refuse("beta", `only loss: "dro" has it`);
    if (given("length") && read.average !== "constant") refuse("length", `only average: "constant" has it`);
    if (read.advantages !== "group")
      for (const own of ["divideByDeviation", "sampleDeviation"] as const)
        if (read[own] !== (own === "divideByDeviation"))
          refuse(own, `only advantages: "group" are divided so`);
    const divided = read.advantages !== "group" || read.divideByDeviation;
    if (read.sampleDeviation && !divided)
      refuse("sampleDeviation", "divideByDeviation: false divides by no deviation");
    if (read.epsilon > 0 && !divided) refuse("epsilon", "divideByDeviation: false divides by no deviation");
    if (read.epsilon > 0 && !["group", "batch"].includes(read.advantages))
      refuse("epsilon", `only advantages: "group" and "batch" are divided by a deviation`);
    if (read.byKind && ["none", "learned"].includes(read.advantages))
      refuse("byKind", `advantages: "${read.advantages}" compare nothing with each other`);
    if (read.trained === 1 && groupEstimators.includes(read.advantages) && !read.byKind)
      refuse("trained", "advantages of a group need at least 2");
  });
export type PolicyGradientOptions = Readonly<z.input<typeof policyGradientSchema>>;
export type PolicyGradientRead = z.output<typeof policyGradientSchema>;

/** The loss as the engine names it. */
export function policyLossOf({ loss, clipLow, clipHigh, beta }: PolicyGradientRead): PolicyLoss {
  if (loss === "importance_sampling") return { name: loss };
  if (loss === "dro") return { name: loss, beta: beta ?? usualBeta };
  const [low, high] = loss === "cispo" ? [0, 4] : [0.8, 1.2];
  return { name: loss, clipLow: clipLow ?? low, clipHigh: clipHigh ?? high };
}
