import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Datum, Example, ScoredGroup, Task, Tokenizer } from "../../foundation/contract/index.ts";
import { exampleOfRollout, positionsOf, thoughtOf } from "../rollout/index.ts";
import { noRemedies, type UpdatePart } from "./part.ts";
import { describeSteps, needsOfSteps, stepOptions } from "./step-options.ts";
import { takenFrom } from "./taken.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** λ: what the likelihood of the true answers weighs beside the thoughts that helped. */
  likelihood: z.number().min(0).default(1),
  ...stepOptions(3e-4),
});
export type ThoughtGradientOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Makes thoughts likelier that helped more than the mean, and the true answers after them (Quiet-STaR, arXiv 2403.09629, section 4.4; its
 * code drops negative rewards, `remove_negative_rewards`):
 *
 *   loss = −Σ_j r_j·log π(t_j | x) / Σ|t_j| − λ·Σ_j log π(y | x, t_j) / Σ|y_j|,   sums over thoughts with r_j > 0
 *
 * The paper learns the true text after every thought, and a mixing head that keeps it from listening to those that do not help. There is no
 * such head here, and the true answer after a wrong thought would teach not to think. One step a batch of rollouts. It applies as `cross_entropy` with a weight a token. An item whose thoughts are all worth the same teaches
 * no thought; it is counted as skipped.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: continuationGain(), update: thoughtGradient({ likelihood: 0.5 }) })
 */
export function thoughtGradient(options: ThoughtGradientOptions = {}): UpdatePart {
  const read = readOptions("thoughtGradient()", optionsSchema, options);
  const { likelihood, learningRate, gradientClipNorm, optimizerState } = read;
  return {
    name: "thought gradient",
    description: { likelihood, ...describeSteps(read) },
    settings: read,
    learnsBy: "policy-gradient",
    onPolicy: true,
    needs: { signedWeights: true, ...needsOfSteps(read) },
    attemptsPerItem: 2,
    steps: () => 1,
    compared: ({ groups, role }) => {
      const { taken } = takenFrom(groups, { role });
      const written = taken.filter((own) => own.length > 0);
      const taught = written.filter((own) => own.some(({ reward }) => reward > least)).length;
      return { taught, skipped: written.length - taught };
    },
    teaches: "has a thought that helps more than the others",
    optimizerState,
    update: (request) => {
      const { policy, groups, task, remedies = noRemedies } = request;
      const batch = thoughtBatch(groups, {
        role: policy.role,
        tokenizer: policy.tokenizer,
        task,
        likelihood,
      });
      return trainBatches({
        ...request,
        batchAt: () => batch,
        learningRateAt: () => remedies.learningRate * learningRate,
        gradientClipNorm,
      });
    },
  };
}

/** Below this, a gain is that of rounding. */
const least = 1e-6;

export interface ThoughtBatchOptions {
  readonly role: string;
  readonly tokenizer: Tokenizer;
  readonly task: Task;
  readonly likelihood: number;
}

/** What is learnt of the thoughts that helped, a weight a token; undefined where none did. */
export function thoughtBatch(
  groups: readonly ScoredGroup[],
  { role, tokenizer, task, likelihood }: ThoughtBatchOptions,
): Batch | undefined {
  const found = takenFrom(groups, { role })
    .taken.flat()
    .flatMap(({ scored, reward, place }) => {
      const thought = thoughtOf(tokenizer, task, scored.rollout);
      if (thought === undefined) return [];
      const response = Int32Array.from([...thought.thought, ...thought.continuation]);
      const example: Example = {
        ...exampleOfRollout(scored.rollout, place),
        context: thought.context,
        response,
      };
      return [{ example, gain: reward, length: thought.thought.length, rest: thought.continuation.length }];
    })
    .filter(({ gain }) => gain > least);
  const lengths = found.reduce((sum, { length }) => sum + length, 0);
  const rests = found.reduce((sum, { rest }) => sum + rest, 0);
  if (found.length === 0) return undefined;
  const data = found.map(({ example, gain, length }): Datum => {
    const { tokens, targets, start } = positionsOf(example);
    const weights = new Float32Array(tokens.length);
    weights.fill(gain / lengths, start, start + length);
    weights.fill(likelihood / rests, start + length);
    return { tokens, targets, weights };
  });
  return {
    data,
    loss: { name: "cross_entropy" },
    tokens: lengths + rests,
    examples: found.map(({ example }) => example),
  };
}
