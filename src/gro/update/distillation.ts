import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Datum, Example, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { contextTokens, exampleOfRollout, positionsOf } from "../rollout/index.ts";
import { noRemedies, type UpdatePart, type UpdateRequest } from "./part.ts";
import { referenceLogprobs } from "./preference/reference.ts";
import { type Batch, clipOf, trainBatches, usualClipNorm } from "./train.ts";

const optionsSchema = z.strictObject({
  /** Whose weights teach: a role of the pass, the learner's own if left out. */
  teacher: z.string().min(1).optional(),
  /** Which of them: those that the pass began with, or those that the run's rounds did. */
  weights: z.enum(["start", "base"]).default("start"),
  /** Show the teacher the item's answer, in the task's words for a hint: then it can teach what it could not say itself. */
  hint: z.boolean().default(false),
  learningRate: z.number().positive().default(3e-4),
  optimizerState: z.enum(["own", "continued", "fresh"]).default("own"),
  gradientClipNorm: z.number().min(0).default(usualClipNorm),
});
export type OnPolicyDistillationOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * One step towards a teacher on what the learner wrote itself (on-policy distillation: GKD, arXiv 2306.13649, with the reverse KL):
 * each token's advantage is log π_teacher − log π, so that the expected gradient is that of −KL(π ‖ teacher) token by token. The
 * rewards are not read; void rollouts do not teach.
 *
 * @example
 * gro({ generate: samples({ samples: 4 }), reward: everything(), update: onPolicyDistillation({ weights: "base" }), repeat: 20 });
 */
export function onPolicyDistillation(options: OnPolicyDistillationOptions = {}): UpdatePart {
  const read = readOptions("onPolicyDistillation()", optionsSchema, options);
  const { teacher, weights, hint, learningRate, optimizerState, gradientClipNorm } = read;
  return {
    name: "on-policy distillation",
    description: {
      ...(teacher === undefined ? {} : { teacher }),
      weights,
      hint,
      learningRate,
      optimizerState,
      ...clipOf(gradientClipNorm),
    },
    learnsBy: "policy-gradient",
    needs: {
      losses: ["importance_sampling"],
      gradientClipping: gradientClipNorm > 0,
      freshOptimizer: optimizerState !== "continued",
    },
    references: [weights],
    optimizerState,
    steps: () => 1,
    update: (request) =>
      trainBatches({
        ...request,
        batchAt: () => distillationBatch(request, { role: teacher, weights, hint }),
        learningRateAt: () => (request.remedies ?? noRemedies).learningRate * learningRate,
        gradientClipNorm,
      }),
  };
}

interface Teacher {
  readonly role: string | undefined;
  readonly weights: "start" | "base";
  readonly hint: boolean;
}

async function distillationBatch(
  request: UpdateRequest,
  { role, weights, hint }: Teacher,
): Promise<Batch | undefined> {
  const { policy, groups, models, signal } = request;
  const written = writtenBy(groups, policy.role);
  if (written.length === 0) return undefined;
  const asked = written.map(({ example, scored }) =>
    hint ? { ...example, context: hinted(scored, request) } : example,
  );
  const told = await referenceLogprobs(asked, {
    models,
    role: role ?? policy.role,
    which: weights,
    ...(signal ? { signal } : {}),
  });
  const tokens = written.reduce((sum, { example }) => sum + example.response.length, 0);
  const data = written.map(({ example, scored }, index): Datum => {
    const taught = told.get(asked[index] as Example) ?? new Float32Array();
    const { tokens: inputs, targets, start } = positionsOf(example);
    const logprobs = new Float32Array(inputs.length);
    const advantages = new Float32Array(inputs.length);
    sampledLogprobs(scored).forEach((own, token) => {
      logprobs[start + token] = own;
      advantages[start + token] = ((taught[token] ?? own) - own) / tokens;
    });
    return {
      tokens: inputs,
      targets,
      advantages,
      logprobs,
      mask: new Float32Array(inputs.length).fill(1, start),
    };
  });
  return {
    data,
    loss: { name: "importance_sampling" },
    tokens,
    examples: written.map(({ example }) => example),
  };
}

function hinted({ rollout }: ScoredRollout, { policy, task }: UpdateRequest): Int32Array {
  const words = task.prompts?.hint?.(rollout.item);
  if (words === undefined)
    throw userError(
      "no-words",
      `onPolicyDistillation(): the task ${task.name} has no words for a hint (prompts.hint), so its teacher can be shown no answer; give the task some, or leave "hint" out.`,
      { task: task.name },
    );
  return contextTokens(policy.tokenizer, words);
}

function writtenBy(
  groups: readonly ScoredGroup[],
  role: string,
): { readonly example: Example; readonly scored: ScoredRollout }[] {
  return groups.flatMap(({ rollouts }, group) =>
    rollouts.flatMap((scored, rollout) => {
      if (scored.rollout.role !== role || scored.reward === null) return [];
      const example = exampleOfRollout(scored.rollout, { group, rollout, artifact: null });
      return example.response.length === 0 ? [] : [{ example, scored }];
    }),
  );
}

function sampledLogprobs({ rollout }: ScoredRollout): Float32Array {
  const segment = rollout.segments.find(({ kind }) => kind === "sampled");
  return segment?.kind === "sampled" ? segment.logprobs : new Float32Array();
}
