import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Example, Source } from "../../foundation/contract/index.ts";
import { exampleOfRollout, weightedDatum } from "../rollout/index.ts";
import { type Drawn, epochMixture, mixture, stepsOfEpochs, withMoreReal } from "./mixture.ts";
import { olderReader, readIn } from "./older.ts";
import { type ExampleCounts, keptExamples, noRemedies, type UpdatePart } from "./part.ts";
import { clipNormOption, describeSteps, needsOfSteps, scheduledRate } from "./step-options.ts";
import { type Batch, trainBatches } from "./train.ts";

const fixedSteps = 100;

const optionsSchema = z.strictObject({
  /** Optimiser steps of one application; 100 if neither these nor `epochs` are given. */
  steps: z.number().int().min(1).optional(),
  /** Instead of steps: times that every newest example is learnt from (without newest ones, every base example). */
  epochs: z.number().positive().max(100).optional(),
  /** Examples a step. */
  batch: z.number().int().min(1).default(64),
  /** Peak of the warm-up–stable–decay schedule, which starts anew in every round. */
  learningRate: z.number().positive().default(1e-3),
  optimizerState: z.enum(["continued", "fresh"]).default("continued"),
  gradientClipNorm: clipNormOption,
  replay: z
    .strictObject({
      /** Share of every batch that comes from the newest kept set; the rest is drawn from base data and older sets. */
      newest: z.number().min(0).max(1).default(0.5),
      /** Weight of the base data among what is not newest; an older set weighs 1. */
      base: z.number().min(0).default(8),
    })
    .prefault({}),
  /** Of what the reward kept: what all roles wrote, or what the one that learns wrote itself. */
  learnFrom: z.enum(["all", "own"]).default("all"),
  /** Where demonstrations come from, for `prepare`. */
  on: z
    .custom<Source>(
      (value) => typeof value === "object" && value !== null && "acquire" in value,
      "expected a source, such as demonstrations()",
    )
    .optional(),
});
export type SupervisedOptions = Readonly<z.input<typeof optionsSchema>>;

/** What {@link supervised} returns: an update part, and with `on` also what `prepare` takes. */
export interface SupervisedUpdate extends UpdatePart {
  readonly batch: number;
  readonly learningRate: number;
  readonly gradientClipNorm: number;
  readonly on?: Source;
}

/**
 * Imitates what the reward kept (reward 1): cross-entropy over response tokens, the mean over each batch. Every batch is
 * part newest set, part replay of base data and older kept sets (arXiv 2502.01612, section 3: without replay the short
 * lengths are forgotten).
 *
 * @example
 * supervised({ steps: 100, learningRate: 1e-3, replay: { newest: 0.5 } });
 * supervised({ epochs: 2, batch: 8, learningRate: 1e-5, replay: { newest: 1 } });
 */
export function supervised(options: SupervisedOptions = {}): SupervisedUpdate {
  const { on, ...read } = readOptions("supervised()", optionsSchema, options);
  const { epochs, batch, learningRate, optimizerState, gradientClipNorm, replay, learnFrom } = read;
  if (epochs !== undefined && read.steps !== undefined)
    throw userError("invalid-option", 'supervised(): give "steps" or "epochs", not both.');
  if (epochs !== undefined && on !== undefined)
    throw userError(
      "invalid-option",
      'supervised(): preparation draws from a source that may be endless, so it needs "steps", not "epochs".',
    );
  const length = epochs === undefined ? { steps: read.steps ?? fixedSteps } : { epochs };
  const stepsOf = (examples: ExampleCounts): number =>
    epochs === undefined ? (read.steps ?? fixedSteps) : stepsOfEpochs(epochs, examples, batch, replay.newest);
  const readOlder = olderReader();
  return {
    name: "supervised",
    description: {
      ...length,
      batch,
      ...describeSteps(read),
      ...(learnFrom === "own" ? { learnFrom } : {}),
      newest: replay.newest,
      base: replay.base,
    },
    settings: read,
    learnsBy: "imitation",
    needs: needsOfSteps(read),
    ...(replay.newest === 1 ? {} : { readsOlder: true as const }),
    steps: stepsOf,
    optimizerState,
    batch,
    learningRate,
    gradientClipNorm,
    ...(on ? { on } : {}),
    update: async (request) => {
      const newest = keptExamples(
        request.groups,
        ({ rollout }, place) => exampleOfRollout(rollout, place),
        learnFrom === "own" ? request.policy.role : undefined,
      );
      const steps = stepsOf({ newest: newest.length, base: request.replay.base.length });
      const { remedies = noRemedies } = request;
      const given = { batch, newest: replay.newest, base: replay.base };
      const shares = withMoreReal(given, request.replay, remedies.realData);
      // Who learns from the newest set alone is given real data, and no older sets with them.
      const from = replay.newest === 1 ? { ...request.replay, older: [] } : request.replay;
      const mixed =
        epochs === undefined
          ? mixture(newest, from, shares)
          : epochMixture(newest, from, shares, request.random);
      const draw = (step: number): readonly Drawn[] => mixed(request.random.fork(step), step);
      const drawsOlder = from.older.length > 0;
      const older = await readOlder(request.random, drawsOlder ? Math.max(steps, request.to) : 0, draw);
      return trainBatches({
        ...request,
        batchAt: (step) => imitation(readIn(draw(step), older)),
        learningRateAt: scheduledRate(read, remedies, steps),
        gradientClipNorm,
      });
    },
  };
}

/** Mean cross-entropy over the response tokens of the examples. */
export function imitation(examples: readonly Example[]): Batch | undefined {
  const tokens = examples.reduce((sum, { response }) => sum + response.length, 0);
  if (tokens === 0) return undefined;
  return {
    data: examples.map((example) => weightedDatum(example, 1 / tokens)),
    loss: { name: "cross_entropy" },
    tokens,
    examples,
  };
}
