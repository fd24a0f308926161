import { z } from "zod";
import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../../foundation/contract/index.ts";
import { referenceWeights } from "../../rollout/index.ts";
import { drawsOver, type Length, stepsOver } from "../order.ts";
import { type GroupCounts, noRemedies, type UpdatePart } from "../part.ts";
import { referenceSums } from "../reference.ts";
import { describeSteps, needsOfSteps, scheduledRate, stepOptions } from "../step-options.ts";
import { distinctResponses, responsesOf } from "../taken.ts";
import { type Batch, trainBatches } from "../train.ts";
import { sigmoid } from "./pair-loss.ts";
import { type SequenceLoss, sequenceBatch } from "./sequences.ts";

export const unpairedSchema = z.strictObject({
  beta: z.number().positive().default(0.1),
  desirableWeight: z.number().positive().default(1),
  undesirableWeight: z.number().positive().default(1),
  /** Least reward of a desirable response. */
  desirableFrom: z.number().default(1),
  reference: referenceWeights.default("start"),
  steps: z.number().int().min(1).optional(),
  /** Instead of steps: times that every response is learnt from; 1 if neither is given. */
  epochs: z.number().positive().max(100).optional(),
  /** Responses a step; the point of reference is estimated within it. */
  batch: z.number().int().min(2).default(32),
  ...stepOptions(1e-4),
});
export type UnpairedPreferenceOptions = Readonly<z.input<typeof unpairedSchema>>;

/**
 * Learns from single responses, each desirable or not (KTO, arXiv 2402.01306, equations 6 to 8): with r = log π(y|x)/π_ref(y|x),
 *
 *   loss = mean of λ_D·(1 − σ(β(r − z₀))) over desirable and λ_U·(1 − σ(β(z₀ − r))) over undesirable ones
 *
 * where z₀ = max(0, mean of log π(y′|x)/π_ref(y′|x)) over mismatched responses y′, each prompt with its neighbour's in the batch,
 * through which no gradient flows (as in TRL). A last batch of one is learnt with the one before it, for want of a neighbour. Where
 * every response is desirable, or none is, nothing is learnt.
 *
 * @example
 * unpairedPreference({ beta: 0.1, undesirableWeight: 1.33 });
 */
export function unpairedPreference(options: UnpairedPreferenceOptions = {}): UpdatePart {
  const read = readOptions("unpairedPreference()", unpairedSchema, options);
  const { beta, desirableWeight, undesirableWeight, desirableFrom, reference } = read;
  const { steps, epochs, batch, optimizerState, gradientClipNorm } = read;
  if (epochs !== undefined && steps !== undefined)
    throw userError("invalid-option", 'unpairedPreference(): give "steps" or "epochs", not both.');
  const length = { steps, epochs, batch };
  return {
    name: "unpaired preference",
    description: {
      loss: "kto",
      beta,
      desirableWeight,
      undesirableWeight,
      desirableFrom,
      reference,
      ...(steps === undefined ? { epochs: epochs ?? 1 } : { steps }),
      batch,
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "preference",
    needs: {
      signedWeights: true,
      ...needsOfSteps(read),
    },
    references: [reference],
    batch,
    optimizerState,
    compared: ({ groups, role }) => labelledOf(groups, role, desirableFrom),
    teaches: "teaches where all responses are desirable, or none is",
    steps: ({ newest }, learning) =>
      batchesOf(
        learning === undefined
          ? newest
          : labelledOf(learning.groups, learning.role, desirableFrom).labelled.length,
        length,
      ).steps,
    update: async (request) => {
      const { policy, groups, random, models, from, to, signal, remedies = noRemedies } = request;
      const { labelled } = labelledOf(groups, policy.role, desirableFrom);
      const { steps: total, merged } = batchesOf(labelled.length, length);
      const draw = drawsOver(labelled, length, random);
      const membersOf = (step: number): readonly Labelled[] =>
        merged && step === total - 1 ? [...draw(step), ...draw(total)] : draw(step);
      const drawn = Array.from({ length: to - from }, (_, index) => withMismatched(membersOf(from + index)));
      const references = await referenceSums(
        drawn.flatMap(({ examples, mismatched }) => [...examples, ...mismatched]),
        { models, role: policy.role, which: reference, ...(signal ? { signal } : {}) },
      );
      return trainBatches({
        ...request,
        batchAt: (step) =>
          unpairedBatch(drawn[step - from], references, { beta, desirableWeight, undesirableWeight }),
        learningRateAt: scheduledRate(read, remedies, total),
        gradientClipNorm,
      });
    },
  };
}

/** A response, and whether it is what is wanted. */
export interface Labelled {
  readonly example: Example;
  readonly desirable: boolean;
}

/** Distinct responses of a role, by group; none at all where all of them are of one kind. */
function labelledOf(
  groups: readonly ScoredGroup[],
  role: string,
  desirableFrom: number,
): GroupCounts & { readonly labelled: readonly Labelled[] } {
  const byGroup = responsesOf(groups, role).map((own) =>
    distinctResponses(own).map(
      ({ example, reward }): Labelled => ({ example, desirable: reward >= desirableFrom }),
    ),
  );
  const labelled = byGroup.flat();
  const there = byGroup.filter(({ length }) => length > 0).length;
  const wanted = labelled.filter(({ desirable }) => desirable).length;
  return wanted === 0 || wanted === labelled.length
    ? { labelled: [], taught: 0, skipped: there }
    : { labelled, taught: there, skipped: 0 };
}

/** Steps over so many responses; a last one alone has no other to be mismatched with, and is `merged` into the step before it. */
function batchesOf(count: number, length: Length): { readonly steps: number; readonly merged: boolean } {
  const steps = stepsOver(count, length);
  const merged =
    length.steps === undefined && steps > 1 && Math.round((length.epochs ?? 1) * count) % length.batch === 1;
  return { steps: merged ? steps - 1 : steps, merged };
}

interface Mismatching {
  readonly labelled: readonly Labelled[];
  readonly examples: readonly Example[];
  /** Each prompt with the response of the one before it; of the first with that of the last. */
  readonly mismatched: readonly Example[];
}

export function withMismatched(labelled: readonly Labelled[]): Mismatching {
  const examples = labelled.map(({ example }) => example);
  const mismatched = examples.map((example, index): Example => {
    const other = examples.at(index - 1) ?? example;
    return { ...example, response: other.response, answer: other.answer };
  });
  return { labelled, examples, mismatched };
}

interface Utility {
  readonly beta: number;
  readonly desirableWeight: number;
  readonly undesirableWeight: number;
}

export function unpairedBatch(
  drawn: Mismatching | undefined,
  references: ReadonlyMap<Example, number>,
  utility: Utility,
): Batch | undefined {
  if (drawn === undefined || drawn.examples.length === 0) return undefined;
  const { examples, mismatched } = drawn;
  return sequenceBatch([...examples, ...mismatched], unpairedLoss(drawn, references, utility), examples);
}

/** The loss as a function of the logprobs of the responses, and after them of the mismatched ones, whose slopes are 0. */
export function unpairedLoss(
  { labelled, examples, mismatched }: Mismatching,
  references: ReadonlyMap<Example, number>,
  { beta, desirableWeight, undesirableWeight }: Utility,
): SequenceLoss {
  const count = labelled.length;
  return (logprobs) => {
    const ratios = [...examples, ...mismatched].map(
      (example, index) => (logprobs[index] ?? Number.NaN) - (references.get(example) ?? Number.NaN),
    );
    const point = Math.max(0, ratios.slice(count).reduce((sum, ratio) => sum + ratio, 0) / count);
    const values = labelled.map(({ desirable }, index) => {
      const sign = desirable ? 1 : -1;
      const weight = (desirable ? desirableWeight : undesirableWeight) / count;
      const chance = sigmoid(sign * beta * ((ratios[index] ?? Number.NaN) - point));
      return { loss: weight * (1 - chance), slope: -weight * sign * beta * chance * (1 - chance) };
    });
    return {
      loss: values.reduce((sum, { loss }) => sum + loss, 0),
      slopes: [...values.map(({ slope }) => slope), ...mismatched.map(() => 0)],
    };
  };
}
