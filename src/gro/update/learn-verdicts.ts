import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Datum, Example, ScoredGroup, Task, Tokenizer } from "../../foundation/contract/index.ts";
import {
  checkVerdictWords,
  exampleOfRollout,
  questionsOf,
  verdictSubjects,
  weightedDatum,
} from "../rollout/index.ts";
import { drawsOver } from "./order.ts";
import { noRemedies, type UpdatePart } from "./part.ts";
import { describeSteps, needsOfSteps, stepOptions } from "./step-options.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** What it learns to judge: a whole response, every beginning that ends with a step, or, before any response, the item. */
  of: z.enum(verdictSubjects).default("outcome"),
  /** What stands between two steps. */
  separator: z.string().min(1).default("\n"),
  /** The part of the score that holds the verdict; the reward itself if left out. */
  part: z.string().min(1).optional(),
  /** Optimiser steps of one application. */
  steps: z.number().int().min(1).default(10),
  /** Verdicts a step. */
  batch: z.number().int().min(1).default(64),
  ...stepOptions(3e-4),
});
export type LearnVerdictsOptions = Readonly<z.input<typeof optionsSchema>>;

/** A question, what it is to be answered with, and how much that answer weighs. */
interface Lesson {
  readonly example: Example;
  readonly weight: number;
}

/**
 * Teaches a role the run's own verdicts: cross-entropy of the token that says right or wrong, after the question whether a response is
 * right. With y in [0, 1] the verdict,
 *
 *   L = −E [ y·log p(yes | question) + (1 − y)·log p(no | question) ]
 *
 * over rollouts of all roles that answer their group's item and have a verdict (arXiv 2110.14168, section 4, with a token in the place of
 * a value head). Of steps every beginning has its response's verdict, as outcome supervision of a process has it (arXiv 2305.20050,
 * section 2.6); of the item, p(yes) becomes the chance that it is solved. What was learnt is asked for by `learnedReward()` and
 * `withBaseline()`. Throws user errors `no-verdict` where both verdicts begin with one token, and `no-chance` for one outside [0, 1].
 *
 * @example
 * learnVerdicts({ of: "outcome", steps: 20, batch: 64, learningRate: 3e-4 })
 */
export function learnVerdicts(options: LearnVerdictsOptions = {}): UpdatePart {
  const { part, ...read } = readOptions("learnVerdicts()", optionsSchema, options);
  const { of, separator, steps, batch, learningRate, optimizerState, gradientClipNorm } = read;
  return {
    name: "learn verdicts",
    description: {
      of,
      ...(of === "steps" ? { separator } : {}),
      ...(part === undefined ? {} : { part }),
      steps,
      batch,
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "imitation",
    check: (task, tokenizer) => {
      if (tokenizer !== undefined) checkVerdictWords(task, tokenizer);
    },
    needs: needsOfSteps(read),
    batch,
    steps: () => steps,
    optimizerState,
    update: (request) => {
      const { policy, groups, task, random } = request;
      const lessons = lessonsOf(groups, task, policy.tokenizer, { of, separator, part });
      const draw = drawsOver(lessons, { steps, batch: Math.min(batch, lessons.length) }, random);
      return trainBatches({
        ...request,
        batchAt: (step) => verdictBatch(draw(step)),
        learningRateAt: () => (request.remedies ?? noRemedies).learningRate * learningRate,
        gradientClipNorm,
      });
    },
  };
}

function lessonsOf(
  groups: readonly ScoredGroup[],
  task: Task,
  tokenizer: Tokenizer,
  { of, separator, part }: Pick<z.output<typeof optionsSchema>, "of" | "separator" | "part">,
): Lesson[] {
  return groups.flatMap(({ item, rollouts }, group) =>
    rollouts.flatMap(({ rollout, reward, parts }, index): Lesson[] => {
      const verdict = part === undefined ? reward : (parts[part] ?? null);
      if (verdict === null || rollout.item.canonical !== item.canonical) return [];
      const right = chanceOf(verdict, part);
      const source = exampleOfRollout(rollout, { group, rollout: index, artifact: null });
      return questionsOf(tokenizer, task, rollout, { of, separator }).flatMap((question) =>
        [
          { token: question.right, weight: right },
          { token: question.wrong, weight: 1 - right },
        ].flatMap(({ token, weight }) => {
          if (weight === 0) return [];
          const response = Int32Array.of(token);
          const answer = tokenizer.decode(response);
          const { prompt } = question.prompting;
          return [{ weight, example: { ...source, context: question.context, response, prompt, answer } }];
        }),
      );
    }),
  );
}

/** Sums of rewards may miss their bounds by so much. */
const rounding = 1e-6;

function chanceOf(verdict: number, part: string | undefined): number {
  if (!(verdict >= -rounding && verdict <= 1 + rounding))
    throw userError(
      "no-chance",
      `learnVerdicts(): a verdict is a chance, from 0 to 1, and ${part === undefined ? "this reward" : `the part "${part}"`} gave ${verdict}; use a reward within these bounds, such as verifier(), or name a part of the score that is: learnVerdicts({ part: "right" }).`,
    );
  return Math.min(1, Math.max(0, verdict));
}

function verdictBatch(lessons: readonly Lesson[]): Batch | undefined {
  if (lessons.length === 0) return undefined;
  return {
    data: lessons.map(({ example, weight }): Datum => weightedDatum(example, weight / lessons.length)),
    loss: { name: "cross_entropy" },
    tokens: lessons.length,
    examples: lessons.map(({ example }) => example),
  };
}
