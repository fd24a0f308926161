import type { Datum, Example } from "../../../foundation/contract/index.ts";
import { positionsOf } from "../../rollout/index.ts";
import { byPosition, type ResponseLoss } from "../response-loss.ts";
import type { Batch } from "../train.ts";
import { type PolicyLoss, policyLoss, weighing } from "./policy-loss.ts";

/** What is averaged: tokens, responses, or tokens as if every response had as many. */
export const averages = ["tokens", "responses", "constant"] as const;

/** A response with its advantages, [tokens]; undefined where nothing in its group differs: it counts in the mean, and is not computed. */
export interface WeighedResponse {
  readonly example: Example;
  /** Logprobs with which it was sampled. */
  readonly behaviour: Float32Array;
  readonly advantages: Float64Array | undefined;
  /** Logprobs under the reference policy. */
  readonly reference?: Float64Array | undefined;
}

export interface PolicyBatchOptions {
  readonly loss: PolicyLoss;
  /**
   * `tokens`: 1 / Σ|o| (DAPO); `responses`: 1 / (n·|o|) (GRPO); `constant`: 1 / (n·length) (Dr. GRPO); sums and n are over all
   * responses, those that teach nothing among them.
   */
  readonly average: (typeof averages)[number];
  /** Tokens of a response, for `constant`. */
  readonly length: number;
  /** Weight of a KL from the reference, token by token, averaged as the loss is; 0 for none. */
  readonly klInLoss: number;
  /** By derivatives even where the engine has the loss by name. */
  readonly universal?: boolean;
}

/**
 * Whether a batch can only be learnt from by derivatives: with a KL in the loss, and where tokens of different responses weigh
 * differently and advantages are not all that is weighed; the engine's `dro` has one `beta` for a whole call.
 */
export function needsDerivatives({
  loss,
  average,
  klInLoss,
}: Pick<PolicyBatchOptions, "average" | "klInLoss"> & { readonly loss: Pick<PolicyLoss, "name"> }): boolean {
  return klInLoss > 0 || (loss.name === "dro" && average === "responses");
}

/** One optimiser step's batch; undefined where there is no token to learn from. */
export function policyBatch(all: readonly WeighedResponse[], options: PolicyBatchOptions): Batch | undefined {
  const { loss, average, length, klInLoss, universal = needsDerivatives(options) } = options;
  const responses = all.flatMap(({ advantages, ...one }) =>
    advantages === undefined ? [] : [{ ...one, advantages }],
  );
  const tokens = tokensOf(responses);
  if (tokens === 0) return undefined;
  const counted = tokensOf(all);
  const weightOf = (own: number): number => {
    if (average === "tokens") return 1 / counted;
    return 1 / (all.length * (average === "responses" ? own : length));
  };
  const weighted = responses.map(({ example, behaviour, advantages, reference }) => {
    const weight = weightOf(behaviour.length);
    const scaled = advantages.map((one) => one * weight);
    return {
      positions: positionsOf(example),
      loss: weighing(loss, weight),
      behaviour,
      advantages: scaled,
      reference,
      penalty: klInLoss * weight,
    };
  });
  const data = weighted.map(({ positions, behaviour, advantages }): Datum => {
    const { tokens: inputs, targets, start } = positions;
    const place = <T extends Float32Array>(into: T, values: ArrayLike<number>): T => {
      into.set(values, start);
      return into;
    };
    return {
      tokens: inputs,
      targets,
      advantages: place(new Float32Array(inputs.length), advantages),
      logprobs: place(new Float32Array(inputs.length), behaviour),
      mask: new Float32Array(inputs.length).fill(1, start),
    };
  });
  const examples = responses.map(({ example }) => example);
  const byDerivative: ResponseLoss = (logprobs) => {
    const each = weighted.map(({ positions: _, loss: own, ...sequence }, index) =>
      policyLoss(own, sequence, logprobs[index] ?? new Float32Array()),
    );
    return {
      loss: each.reduce((sum, one) => sum + one.loss, 0),
      slopes: each.map(({ slopes }) => slopes),
    };
  };
  // By name it has the weight of every response, which is one.
  const named = weighted[0]?.loss ?? loss;
  return { data, loss: universal ? byPosition(examples, byDerivative) : named, tokens, examples };
}

function tokensOf(responses: readonly Pick<WeighedResponse, "behaviour">[]): number {
  return responses.reduce((sum, { behaviour }) => sum + behaviour.length, 0);
}
