import { z } from "zod";
import { type RandomStream, readOptions } from "../../foundation/base/index.ts";
import type { Example, Source } from "../../foundation/contract/index.ts";
import { exampleOfRollout, weightedDatum } from "../rollout/index.ts";
import { keptExamples, type Replay, type UpdatePart } from "./part.ts";
import { warmupStableDecay } from "./schedule.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  steps: z.number().int().min(1).default(100),
  /** Examples a step. */
  batch: z.number().int().min(1).default(64),
  /** Peak of the warm-up–stable–decay schedule, which starts anew in every round. */
  learningRate: z.number().positive().default(1e-3),
  optimizerState: z.enum(["continued", "fresh"]).default("continued"),
  replay: z
    .strictObject({
      /** Share of every batch that comes from the newest kept set; the rest is drawn from base data and older sets. */
      newest: z.number().min(0).max(1).default(0.5),
      /** Weight of the base data among what is not newest; an older set weighs 1. */
      base: z.number().min(0).default(8),
    })
    .prefault({}),
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
  readonly on?: Source;
}

/**
 * Imitates what the reward kept (reward 1): cross-entropy over response tokens, the mean over each batch. Every batch is
 * part newest set, part replay of base data and older kept sets (arXiv 2502.01612, section 3: without replay the short
 * lengths are forgotten).
 *
 * @example
 * supervised({ steps: 100, learningRate: 1e-3, replay: { newest: 0.5 } })
 */
export function supervised(options: SupervisedOptions = {}): SupervisedUpdate {
  const { on, ...read } = readOptions("supervised()", optionsSchema, options);
  const { steps, batch, learningRate, optimizerState, replay } = read;
  return {
    name: "supervised",
    description: { steps, batch, learningRate, optimizerState, newest: replay.newest, base: replay.base },
    learnsBy: "imitation",
    steps,
    optimizerState,
    batch,
    learningRate,
    ...(on ? { on } : {}),
    update: (request) => {
      const newest = keptExamples(request.groups, ({ rollout }) => exampleOfRollout(rollout));
      const draw = mixture(newest, request.replay, { batch, newest: replay.newest, base: replay.base });
      return trainBatches({
        ...request,
        batchAt: (step) => imitation(draw(request.random.fork(step))),
        learningRateAt: (step) => learningRate * warmupStableDecay(step, steps),
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
    realTokens: examples.reduce(
      (sum, { response, origin }) => sum + (origin === "demonstration" ? response.length : 0),
      0,
    ),
  };
}

/**
 * Draws batches with replacement: first which set, by weight, then which example. An empty set loses its share to the
 * others; one that was given no share gets none so.
 */
function mixture(
  newest: readonly Example[],
  replay: Replay,
  shares: { readonly batch: number; readonly newest: number; readonly base: number },
): (random: RandomStream) => Example[] {
  const olderSets = replay.older.filter((set) => set.length > 0);
  const others =
    shares.newest === 1
      ? []
      : [
          ...(replay.base.length > 0 && shares.base > 0 ? [{ set: replay.base, weight: shares.base }] : []),
          ...olderSets.map((set) => ({ set, weight: 1 })),
        ];
  const total = others.reduce((sum, { weight }) => sum + weight, 0);
  const fromNewest =
    newest.length === 0 || shares.newest === 0
      ? 0
      : others.length === 0
        ? shares.batch
        : Math.round(shares.batch * shares.newest);
  return (random) => {
    const drawn: Example[] = [];
    for (let index = 0; index < shares.batch; index++) {
      if (index < fromNewest) drawn.push(random.pick(newest));
      else if (others.length > 0) {
        drawn.push(random.pick(setAt(others, random.uniform() * total)));
      }
    }
    return drawn;
  };
}

function setAt(
  sets: readonly { set: readonly Example[]; weight: number }[],
  point: number,
): readonly Example[] {
  let left = point;
  for (const { set, weight } of sets) {
    left -= weight;
    if (left < 0) return set;
  }
  return sets.at(-1)?.set ?? [];
}
