import { z } from "zod";
import {
  type DifficultyScale,
  type Gain,
  gainSchema,
  type Item,
  type JudgedAnswer,
  type Measurement,
  type RunEvent,
  type Task,
  type ValidationMeasurement,
  validationMeasurementSchema,
} from "../../foundation/contract/index.ts";
import { cutOffShare, percent, worthAWord } from "../../foundation/statistics/index.ts";
import {
  evaluationItems,
  gainOf,
  type Measured,
  measurementOf,
  namedPairs,
  shownSamples,
} from "../../lifecycle/evaluate/index.ts";
import { isEnumerated } from "../../world/task/index.ts";
import type { WholeStratum } from "../probes.ts";
import {
  leadCheckpoint,
  playStage,
  type RoundContext,
  type StageProgress,
  shippedName,
  streamOf,
} from "./context.ts";
import { judgedAnswers } from "./judged-answers.ts";
import type { Lineage } from "./state.ts";

export interface Evaluated {
  readonly measurement: ValidationMeasurement;
  /** Candidate against champion on the same items; null in round 0. */
  readonly gain: Gain | null;
  /** The same on each stratum of which every item was answered. */
  readonly whole: readonly WholeStratum[];
}

/** The candidate on validation items, with a few of its answers for people. In round 0 it is the base. */
export async function evaluateStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage | null,
): Promise<Evaluated> {
  const { task } = context.definition;
  const stored = await playStage(context, {
    round,
    name: "evaluate",
    label: "validation items",
    input: { candidate: shippedName(context, candidate) },
    work: async (progress) => {
      const { measurement, judged: after } = await measureValidation(context, candidate, progress);
      const before = champion === null ? [] : (await measureValidation(context, champion, progress)).judged;
      const gain = champion === null ? null : gainOf({ task, before, after });
      const events: RunEvent[] = [
        {
          type: "validation-measured",
          round,
          who: round === 0 ? "base" : "candidate",
          measurement,
          ...(gain === null ? {} : { gain }),
        },
        { type: "samples-shown", round, samples: shownSamples({ task, before, after, measurement }) },
      ];
      return {
        result: { measurement, gain, whole: champion === null ? [] : wholeStrata(task, before, after) },
        summary: evaluationWords(measurement, task.difficulty),
        events,
      };
    },
  });
  return {
    measurement: validationMeasurementSchema.parse(stored.measurement),
    gain: gainSchema.nullable().parse(stored.gain),
    whole: wholeSchema.parse(stored.whole),
  };
}

const wholeSchema = z
  .array(z.object({ stratum: z.string(), items: z.number(), voids: z.number(), observed: z.number() }))
  .default([]);

/** Strata without splits: their loss is known, and probes that are measured whole rest on it. */
function wholeStrata(task: Task, before: readonly JudgedAnswer[], after: readonly JudgedAnswer[]) {
  const pairs = Map.groupBy(namedPairs({ before, after }), ({ stratum }) => stratum);
  return task.strata.filter(isEnumerated).flatMap(({ name }) => {
    const own = pairs.get(name) ?? [];
    if (own.length === 0) return [];
    const observed = own.reduce((sum, { difference }) => sum + difference, 0) / own.length;
    return [{ stratum: name, items: own.length, voids: own.filter((one) => one.void).length, observed }];
  });
}

/** More kinds than these are not named in one line. */
const mostKinds = 4;

function evaluationWords(measurement: Measurement, { unit, ordered = true }: DifficultyScale): string {
  const { mean, strata, frontier90 } = measurement;
  const kinds = strata.map(({ stratum, mean: own }) => `${stratum} ${percent(own)}`);
  const told = ordered
    ? [frontier90 === null ? "nothing solved yet" : `solved to ${unit} ${frontier90}`]
    : kinds.length > 1 && kinds.length <= mostKinds
      ? kinds
      : [];
  const cut = cutOffShare(measurement);
  return [
    `accuracy ${percent(mean)}`,
    ...told,
    ...(cut < worthAWord ? [] : [`${percent(cut, 0)} cut off by the limit of tokens`]),
  ].join(", ");
}

/** The champion and the newest candidate: more are not compared. */
const remembered = 2;
const measuredByContext = new WeakMap<RoundContext, Map<string, Promise<Measured>>>();

/** The same weights answer validation items once a run, and what they answered is read once a process. */
export function measureValidation(
  context: RoundContext,
  lineage: Lineage,
  progress: StageProgress,
): Promise<Measured> {
  const known = measuredByContext.get(context) ?? new Map<string, Promise<Measured>>();
  measuredByContext.set(context, known);
  const name = shippedName(context, lineage);
  const measured = known.get(name) ?? answerValidation(context, lineage, progress);
  known.delete(name);
  known.set(name, measured);
  for (const oldest of [...known.keys()].slice(0, -remembered)) known.delete(oldest);
  return measured;
}

const itemsByContext = new WeakMap<RoundContext, readonly Item[]>();

/** The same in every round, so that rounds compare. */
export function validationItems(context: RoundContext): readonly Item[] {
  const { task, evaluate } = context.definition;
  const random = streamOf(context, 0, "validation");
  const known =
    itemsByContext.get(context) ??
    evaluationItems({ task, split: "validation", perStratum: evaluate.perStratum, random });
  itemsByContext.set(context, known);
  return known;
}

async function answerValidation(
  context: RoundContext,
  lineage: Lineage,
  progress: StageProgress,
): Promise<Measured> {
  const weightVersion = leadCheckpoint(context, lineage);
  const judged = await judgedAnswers(context, {
    name: `validation/${shippedName(context, lineage)}`,
    lineage,
    items: validationItems(context),
    seed: streamOf(context, 0, "validation-answers").seed(),
    askedAgain: true,
    onProgress: (done, total) => progress("answer validation items", done, total),
  });
  const { task } = context.definition;
  return { measurement: measurementOf(task, judged, { split: "validation", weightVersion }), judged };
}
