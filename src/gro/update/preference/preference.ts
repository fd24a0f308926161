import { z } from "zod";
import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { Example } from "../../../foundation/contract/index.ts";
import { referenceWeights } from "../../rollout/index.ts";
import { drawsOver, stepsOver } from "../order.ts";
import { type Learning, noRemedies, type UpdatePart } from "../part.ts";
import { referenceSums } from "../reference.ts";
import { describeSteps, needsOfSteps, scheduledRate, stepOptions } from "../step-options.ts";
import { type Batch, trainBatches } from "../train.ts";
import { type PairLoss, pairLossOf, pairLossSchema, readsReference, type Told } from "./pair-loss.ts";
import { type MadePairs, type Member, type Pair, pairOptions, pairsOf } from "./pairs.ts";
import { type SequenceLoss, sequenceBatch } from "./sequences.ts";

export const preferenceSchema = z.strictObject({
  loss: pairLossSchema.prefault({ name: "dpo" }),
  ...pairOptions,
  /** The role whose responses are compared; the learner's own if left out. */
  of: z.string().min(1).optional(),
  /** Against which earlier weights: those that the pass began with, those that the run's rounds did, or the champion's. */
  reference: referenceWeights.default("start"),
  /** Optimiser steps of one application. */
  steps: z.number().int().min(1).optional(),
  /** Instead of steps: times that every pair is learnt from; 1 if neither is given. */
  epochs: z.number().positive().max(100).optional(),
  /** Pairs a step. */
  batch: z.number().int().min(1).default(32),
  /** Warmed up and decayed anew in every application. */
  ...stepOptions(1e-4),
});
export type PreferenceOptions = Readonly<z.input<typeof preferenceSchema>>;

/**
 * Learns from pairs: of two responses to one prompt the one with the greater reward is to become likelier than the other. The loss is
 * the mean over a batch's pairs of `dpo` (arXiv 2305.18290), `ipo` (2310.12036), `simpo` (2405.14734), `orpo` (2403.07691) or `sppo`
 * (2405.00675), with `likelihood` that of iterative RPO (2404.19733), with `weight: "difference"` and votes as rewards that of ScPO
 * (2411.04109), with `pairs: "demonstration"` that of SPIN (2401.01335). Prompts that give no pair are skipped and counted; void
 * rollouts are in none.
 *
 * @example
 * preference({ loss: { name: "dpo", beta: 0.1, likelihood: 1 }, pairs: "all", epochs: 2 });
 * gro({ generate: samples({ samples: 4 }), reward: verifier(), update: preference({ loss: { name: "simpo" } }) });
 */
export function preference(options: PreferenceOptions = {}): UpdatePart {
  const read = readOptions("preference()", preferenceSchema, options);
  const {
    loss,
    reference,
    steps,
    epochs,
    batch,
    learningRate,
    optimizerState,
    gradientClipNorm,
    of,
    ...pairing
  } = read;
  if (epochs !== undefined && steps !== undefined)
    throw userError("invalid-option", 'preference(): give "steps" or "epochs", not both.');
  refuseIdle(options, read);
  const length = { steps, epochs, batch };
  const referring = readsReference(loss);
  const pairLoss = pairLossOf(loss);
  const { name, ...parameters } = loss;
  const { least, ...plain } = pairing;
  const madeFrom = ({ groups, role, replay, random }: Learning): MadePairs =>
    pairsOf(groups, of ?? role, replay.base, pairing, random.fork("pairs"));
  return {
    name: "preference",
    description: {
      loss: name,
      ...parameters,
      ...plain,
      ...(least === undefined ? {} : { least }),
      ...(of === undefined ? {} : { of }),
      ...(referring ? { reference } : {}),
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
    ...(referring ? { references: [reference] } : {}),
    attemptsPerItem: pairing.pairs === "demonstration" ? 1 : 2,
    // A pair is two examples.
    batch: 2 * batch,
    optimizerState,
    compared: madeFrom,
    ...(pairing.pairs === "demonstration"
      ? { teaches: "has a demonstration and another response than it" }
      : least === undefined
        ? {}
        : { teaches: `has two different responses with different rewards, the better of at least ${least}` }),
    steps: ({ newest }, learning) =>
      stepsOver(learning === undefined ? Math.ceil(newest / 2) : madeFrom(learning).pairs.length, length),
    update: async (request) => {
      const { policy, random, models, from, to, signal, remedies = noRemedies } = request;
      const { pairs } = madeFrom({ ...request, role: policy.role });
      const total = stepsOver(pairs.length, length);
      const draw = drawsOver(pairs, length, random);
      const members = Array.from({ length: to - from }, (_, index) => draw(from + index))
        .flat()
        .flatMap(({ chosen, rejected }) => [chosen.example, rejected.example]);
      const references = referring
        ? await referenceSums(members, {
            models,
            role: policy.role,
            which: reference,
            ...(signal ? { signal } : {}),
          })
        : new Map<Example, number>();
      return trainBatches({
        ...request,
        batchAt: (step) => pairBatch(draw(step), references, pairLoss),
        learningRateAt: scheduledRate(read, remedies, total),
        gradientClipNorm,
      });
    },
  };
}

/** Refuses options that were given and that these others leave without effect. */
function refuseIdle(given: PreferenceOptions, { loss, pairs }: z.output<typeof preferenceSchema>): void {
  const refuse = (option: string, why: string): never => {
    throw userError("invalid-option", `preference(): "${option}" ${why}; leave it out.`);
  };
  if (given.lengthControl && pairs !== "best-worst")
    refuse("lengthControl", `chooses the best and the worst of a prompt, and pairs: "${pairs}" takes others`);
  if (given.mostPairs !== undefined && pairs === "best-worst")
    refuse("mostPairs", 'limits pairs of one prompt, and pairs: "best-worst" makes one');
  if (given.reference !== undefined && !readsReference(loss))
    refuse("reference", `says what is measured against, and the loss ${loss.name} reads no reference`);
}

/** The mean loss of these pairs, each by its weight; undefined without any. */
export function pairBatch(
  pairs: readonly Pair[],
  references: ReadonlyMap<Example, number>,
  loss: PairLoss,
): Batch | undefined {
  if (pairs.length === 0) return undefined;
  const examples = [...new Set(pairs.flatMap(({ chosen, rejected }) => [chosen.example, rejected.example]))];
  return sequenceBatch(examples, pairsLoss(examples, pairs, references, loss));
}

/** The same as a function of the responses' logprobs, in the order of `examples`. */
export function pairsLoss(
  examples: readonly Example[],
  pairs: readonly Pair[],
  references: ReadonlyMap<Example, number>,
  loss: PairLoss,
): SequenceLoss {
  const places = new Map(examples.map((example, index) => [example, index]));
  const placeOf = ({ example }: Member): number => places.get(example) as number;
  return (logprobs) => {
    const slopes = new Float64Array(examples.length);
    const told = (member: Member): Told => ({
      logprob: logprobs[placeOf(member)] ?? Number.NaN,
      reference: references.get(member.example) ?? 0,
      tokens: member.example.response.length,
      reward: member.reward,
    });
    let sum = 0;
    for (const { chosen, rejected, weight } of pairs) {
      const value = loss(told(chosen), told(rejected));
      const share = weight / pairs.length;
      sum += share * value.loss;
      slopes[placeOf(chosen)] = (slopes[placeOf(chosen)] ?? 0) + share * value.chosen;
      slopes[placeOf(rejected)] = (slopes[placeOf(rejected)] ?? 0) + share * value.rejected;
    }
    return { loss: sum, slopes: [...slopes] };
  };
}
