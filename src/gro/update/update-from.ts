import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Example, Item, LearnsBy, ScoredGroup } from "../../foundation/contract/index.ts";
import { sampledOf } from "../rollout/index.ts";
import { inEpochs } from "./order.ts";
import { noRemedies, type OptimizerStateChoice, type UpdatePart, waysToLearn } from "./part.ts";
import { responseBatch } from "./response-loss.ts";
import { describeSteps, needsOfSteps, scheduledRate, stepOptions } from "./step-options.ts";
import { responsesOf, type TakenResponse } from "./taken.ts";
import { trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  name: z.string().min(1),
  version: z.number().int().min(1).default(1),
  description: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  learnsBy: z.enum(waysToLearn).default("policy-gradient"),
  loss: z.custom<LossOfResponses>((value) => typeof value === "function", "expected a function"),
  attemptsPerItem: z.number().int().min(1).default(1),
  epochs: z.number().int().min(1).max(100).default(1),
  minibatches: z.number().int().min(1).default(1),
  ...stepOptions(1e-4),
});

export interface UpdateFromOptions {
  readonly name: string;
  /** Raise it when the loss changes: it is part of what a run is known by. 1 if left out. */
  readonly version?: number;
  /** What defines it besides, such as its settings. */
  readonly description?: Readonly<Record<string, string | number | boolean>>;
  /**
   * What guards hold it to: `imitation` learns what is rewarded 1 and nothing else, `preference` sets responses against each other,
   * `policy-gradient` (if left out) follows what the weights themselves wrote, and is refused where a part writes for them.
   */
  readonly learnsBy?: LearnsBy;
  readonly loss: LossOfResponses;
  /** Attempts at an item that it compares with each other, at the least; 1 if left out. */
  readonly attemptsPerItem?: number;
  /** Times that all responses are learnt from; 1 if left out. */
  readonly epochs?: number;
  /** Optimiser steps that the items of a time are divided into, each item with all its responses; 1 if left out. */
  readonly minibatches?: number;
  /** Of each step; the peak, where it rises and falls. 1e-4 if left out. */
  readonly learningRate?: number;
  /** As of every update: `own` if left out. */
  readonly optimizerState?: OptimizerStateChoice;
  /** The largest norm of a step's gradient, 0 clips nothing; 1 if left out. */
  readonly gradientClipNorm?: number;
}

/** What a loss reads of a response that has a reward. */
export interface LearntResponse {
  readonly item: Item;
  /** Which group of the step it is of, from 0: attempts at one item have one. */
  readonly group: number;
  readonly text: string;
  readonly reward: number;
  /** log p of each of its tokens, the end included, by the weights as they are before the step: numbers of at most 0. */
  readonly logprobs: Float32Array;
  /** The same by the weights that wrote it, when they did; equal to `logprobs` but for rounding before the first step. */
  readonly sampled: Float32Array;
}

/** A step's loss: its value, and per response its derivative by each of `logprobs`, as many. */
export type LossOfResponses = (responses: readonly LearntResponse[]) => {
  readonly loss: number;
  readonly slopes: readonly ArrayLike<number>[];
};

/**
 * An update of your own: a loss of rewarded responses, given as its value and its derivative by the logprobs of their tokens. The engine
 * multiplies that with the derivative of the logprobs by the weights, as `cross_entropy` with signed weights, after a forward pass.
 * Responses without a reward are not shown. Divide by what is to weigh the same, such as the number of tokens: the engine does not.
 * Throws `invalid-option`, and from a step `bad-loss` where there is not one finite number a token.
 *
 * @example
 * // REINFORCE without a baseline: loss = −Σ r·log p, per response.
 * const reinforce = updateFrom({
 *   name: "reinforce",
 *   loss: (responses) => ({
 *     loss: -responses.reduce((sum, { reward, logprobs }) => sum + reward * logprobs.reduce((all, one) => all + one, 0), 0) / responses.length,
 *     slopes: responses.map(({ reward, logprobs }) => logprobs.map(() => -reward / responses.length)),
 *   }),
 * });
 */
export function updateFrom(given: UpdateFromOptions): UpdatePart {
  const read = readOptions("updateFrom()", optionsSchema, given);
  const { name, version, description, learnsBy, loss, attemptsPerItem, epochs } = read;
  const stepsOf = (groups: number): number => epochs * Math.min(read.minibatches, groups);
  return {
    name,
    description: {
      ...description,
      version,
      epochs,
      minibatches: read.minibatches,
      ...describeSteps(read),
    },
    learnsBy,
    ...(learnsBy === "policy-gradient" ? { onPolicy: true as const } : {}),
    needs: { signedWeights: true, ...needsOfSteps(read) },
    attemptsPerItem,
    minibatches: read.minibatches,
    optimizerState: read.optimizerState,
    steps: ({ newest }, learning) =>
      stepsOf(learning === undefined ? newest : learntFrom(learning.groups, learning.role).length),
    update: (request) => {
      const { policy, random, remedies = noRemedies } = request;
      const groups = learntFrom(request.groups, policy.role);
      const parts = Math.min(read.minibatches, groups.length);
      const groupAt = inEpochs(groups, random);
      // Of the items of all epochs, one after the other, where a step begins.
      const edge = (step: number): number => Math.floor((step * groups.length) / parts);
      return trainBatches({
        ...request,
        batchAt: (step) => {
          if (groups.length === 0) return undefined;
          const [from, to] = [edge(step), edge(step + 1)];
          const own = Array.from({ length: to - from }, (_, index) => groupAt(from + index));
          return batchOf(name, own, loss);
        },
        learningRateAt: scheduledRate(read, remedies, stepsOf(groups.length)),
        gradientClipNorm: read.gradientClipNorm,
      });
    },
  };
}

function learntFrom(groups: readonly ScoredGroup[], role: string): readonly (readonly TakenResponse[])[] {
  return responsesOf(groups, role).filter(({ length }) => length > 0);
}

function batchOf(name: string, groups: readonly (readonly TakenResponse[])[], loss: LossOfResponses) {
  const taken = groups.flatMap((own, group) => own.map((one) => ({ ...one, group })));
  return responseBatch(
    taken.map(({ example }) => example),
    (logprobs) =>
      checked(
        name,
        taken.map(({ example }) => example),
        loss(
          taken.map(({ scored: { rollout }, reward, group }, index) => ({
            item: rollout.item,
            group,
            text: rollout.response.text,
            reward,
            logprobs: logprobs[index] ?? new Float32Array(),
            sampled: sampledOf(rollout).logprobs,
          })),
        ),
      ),
  );
}

/** What a loss of somebody's own gave, if it can be followed; else the user error `bad-loss`. */
function checked(name: string, examples: readonly Example[], given: ReturnType<LossOfResponses>) {
  const refuse = (what: string): never => {
    throw userError(
      "bad-loss",
      `The loss of the update “${name}” gave ${what}: it gives { loss, slopes }, a finite number, and for each response one finite slope a token.`,
    );
  };
  if (!Number.isFinite(given?.loss)) refuse(`${String(given?.loss)} for its value`);
  if (!Array.isArray(given.slopes)) refuse("no list of slopes");
  if (given.slopes.length !== examples.length)
    refuse(`slopes of ${given.slopes.length} responses, of ${examples.length}`);
  for (const [index, { response, answer = "" }] of examples.entries()) {
    const slopes = Array.from(given.slopes[index] ?? []);
    const told = JSON.stringify(answer);
    if (slopes.length !== response.length)
      refuse(`${slopes.length} slopes for ${told}, which has ${response.length} tokens`);
    const bad = slopes.find((slope) => !Number.isFinite(slope));
    if (bad !== undefined) refuse(`the slope ${String(bad)} for ${told}`);
  }
  return given;
}
