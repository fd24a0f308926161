import { z } from "zod";
import { readOptions, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { Datum, Example, ScoredRollout } from "../../foundation/contract/index.ts";
import {
  contextTokens,
  positionsOf,
  type ReferenceWeights,
  referenceWeights,
  sampledOf,
} from "../rollout/index.ts";
import { noRemedies, type UpdatePart, type UpdateRequest } from "./part.ts";
import { referenceLogprobs } from "./reference.ts";
import { describeSteps, needsOfSteps, stepOptions } from "./step-options.ts";
import { responsesOf } from "./taken.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** Whose weights teach: a role of the pass, the learner's own if left out. */
  teacher: z.string().min(1).optional(),
  /** Which of them: those that the pass began with, those that the run's rounds did, or the champion's. */
  weights: referenceWeights.default("start"),
  /** Show the teacher the item's answer, in the task's words for a hint: then it can teach what it could not say itself. */
  hint: z.boolean().default(false),
  ...stepOptions(3e-4),
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
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "policy-gradient",
    onPolicy: true,
    needs: {
      losses: ["importance_sampling"],
      ...needsOfSteps(read),
    },
    references: [weights],
    optimizerState,
    steps: () => 1,
    check: (task) => {
      if (hint && task.prompts?.hint === undefined) throw withoutHint(task);
    },
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
  readonly weights: ReferenceWeights;
  readonly hint: boolean;
}

async function distillationBatch(
  request: UpdateRequest,
  { role, weights, hint }: Teacher,
): Promise<Batch | undefined> {
  const { policy, groups, models, signal } = request;
  const written = responsesOf(groups, policy.role).flat();
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
    sampledOf(scored.rollout).logprobs.forEach((own, token) => {
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
  if (words === undefined) throw withoutHint(task);
  return contextTokens(policy.tokenizer, words);
}

function withoutHint({ name }: UpdateRequest["task"]): WhetstoneError {
  return userError(
    "no-words",
    `onPolicyDistillation(): the task ${name} has no words for a hint (prompts.hint), so its teacher can be shown no answer; give the task some, or leave "hint" out.`,
    { task: name },
  );
}
