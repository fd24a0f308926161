import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Datum, Example, Loss, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { exampleOfRollout, positionsOf } from "../rollout/index.ts";
import { noRemedies, type UpdatePart } from "./part.ts";
import { type Batch, clipOf, trainBatches, usualClipNorm } from "./train.ts";

const optionsSchema = z
  .strictObject({
    learningRate: z.number().positive().default(3e-4),
    /** `importance_sampling` corrects for the sampler's probabilities; `ppo` also clips the ratio. */
    loss: z.enum(["importance_sampling", "ppo"]).default("importance_sampling"),
    /** Bounds of the ratio, for `ppo`: .8 and 1.2 if left out. */
    clipLow: z.number().positive().max(1).optional(),
    clipHigh: z.number().min(1).optional(),
    /** Divide a group's centred rewards by their standard deviation (GRPO), or not (Dr. GRPO, arXiv 2503.20783). */
    divideByDeviation: z.boolean().default(true),
    /** `own`: the moments of these steps alone; those of a preparation, another objective's, are left behind. */
    optimizerState: z.enum(["own", "continued", "fresh"]).default("own"),
    /** The largest norm of a step's gradient; 0 clips nothing, for servers that cannot. */
    gradientClipNorm: z.number().min(0).default(usualClipNorm),
  })
  .superRefine(({ loss, clipLow, clipHigh }, context) => {
    if (loss === "ppo") return;
    for (const [option, value] of Object.entries({ clipLow, clipHigh }))
      if (value !== undefined)
        context.addIssue({ code: "custom", path: [option], message: `only loss: "ppo" clips the ratio` });
  });
export type PolicyGradientOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * One optimiser step on the policy gradient with group-relative advantages A = (r − mean) / std over the attempts at one
 * item (GRPO, arXiv 2402.03300, equation 21), every token weighing the same (DAPO's token mean, arXiv 2503.14476). A group
 * whose rewards are all equal teaches nothing and is left out.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: verifier(), update: policyGradient({ learningRate: 3e-4 }) })
 */
export function policyGradient(options: PolicyGradientOptions = {}): UpdatePart {
  const read = readOptions("policyGradient()", optionsSchema, options);
  const { learningRate, divideByDeviation, optimizerState, gradientClipNorm } = read;
  const { clipLow = 0.8, clipHigh = 1.2 } = read;
  const clip = read.loss === "ppo" ? { clipLow, clipHigh } : {};
  const loss: Loss = { name: read.loss, ...clip };
  return {
    name: "policy gradient",
    description: {
      learningRate,
      loss: read.loss,
      ...clip,
      divideByDeviation,
      optimizerState,
      ...clipOf(gradientClipNorm),
    },
    learnsBy: "policy-gradient",
    needs: {
      losses: [read.loss],
      gradientClipping: gradientClipNorm > 0,
      freshOptimizer: optimizerState !== "continued",
    },
    steps: () => 1,
    optimizerState,
    update: (request) =>
      trainBatches({
        ...request,
        batchAt: () => policyGradientBatch(request.groups, request.policy.role, loss, divideByDeviation),
        learningRateAt: () => (request.remedies ?? noRemedies).learningRate * learningRate,
        gradientClipNorm,
      }),
  };
}

/** Group-relative advantages of rewards; undefined when they are all equal. Source: arXiv 2402.03300, section 4.1.2. */
export function groupAdvantages(
  rewards: readonly number[],
  divideByDeviation: boolean,
): number[] | undefined {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / rewards.length;
  if (variance < 1e-12) return undefined;
  const scale = divideByDeviation ? Math.sqrt(variance) : 1;
  return rewards.map((reward) => (reward - mean) / scale);
}

function policyGradientBatch(
  groups: readonly ScoredGroup[],
  role: string,
  loss: Loss,
  divideByDeviation: boolean,
): Batch | undefined {
  const weighed: { scored: ScoredRollout; example: Example; advantage: number }[] = [];
  for (const [group, { rollouts }] of groups.entries()) {
    const own = [...rollouts.entries()].filter(
      ([, { rollout, reward }]) => rollout.role === role && reward !== null,
    );
    if (own.length < 2) continue;
    const advantages = groupAdvantages(
      own.map(([, { reward }]) => reward ?? 0),
      divideByDeviation,
    );
    own.forEach(([rollout, scored], index) => {
      const advantage = advantages?.[index];
      if (advantage === undefined) return;
      const example = exampleOfRollout(scored.rollout, { group, rollout, artifact: null });
      weighed.push({ scored, example, advantage });
    });
  }
  const tokens = weighed.reduce((sum, { scored }) => sum + sampledOf(scored).tokens.length, 0);
  if (tokens === 0) return undefined;
  const data = weighed.map(({ scored, example, advantage }): Datum => {
    const { tokens: inputs, targets, start } = positionsOf(example);
    const logprobs = new Float32Array(inputs.length);
    logprobs.set(sampledOf(scored).logprobs, start);
    return {
      tokens: inputs,
      targets,
      advantages: new Float32Array(inputs.length).fill(advantage / tokens, start),
      logprobs,
      mask: new Float32Array(inputs.length).fill(1, start),
    };
  });
  return { data, loss, tokens, examples: weighed.map(({ example }) => example) };
}

function sampledOf({ rollout }: ScoredRollout): { tokens: Int32Array; logprobs: Float32Array } {
  const segment = rollout.segments.find(({ kind }) => kind === "sampled");
  return segment?.kind === "sampled" ? segment : { tokens: new Int32Array(), logprobs: new Float32Array() };
}
