import type {
  Attempts,
  DifficultyScale,
  Meter,
  MeterReading,
  Refusals,
  RoundEvidence,
} from "../../../foundation/contract/index.ts";
import {
  averaged,
  contrast,
  type ItemMeasure,
  keptGap,
  keptSolved,
  measures,
  type StratifiedMean,
  sampleMean,
  shareOf,
} from "../../../foundation/statistics/index.ts";

type Reading = ReturnType<Meter["read"]>;

const ofTraining =
  (read: (training: NonNullable<RoundEvidence["training"]>) => number | null): Meter["read"] =>
  ({ training }): Reading => ({ value: training === null ? null : read(training) });

/** Of the candidate's attempts at validation items. */
const ofAttempts =
  (measure: ItemMeasure): Meter["read"] =>
  ({ attempts }): Reading =>
    attempts === null ? unmeasured("no attempts were made") : known(averaged(attempts.candidate, measure));

/** A single item has no interval that could be stored. */
function known(estimate: StratifiedMean | null): Reading {
  if (estimate === null) return { value: null };
  const { mean: value, interval } = estimate;
  return Number.isFinite(interval.low) ? { value, interval } : { value };
}

function unmeasured(note: string): Reading {
  return { value: null, note };
}

/** Of the right, or the wrong, answers that the lead wrote. */
const ofKnownTruth =
  (kept: "rightKept" | "wrongKept", of: "right" | "wrong"): Meter["read"] =>
  ({ training }): Reading => {
    if (training === null) return { value: null };
    if (training.circular) return unmeasured("not measurable: the reward is the task's only judge of truth");
    const share = shareOf(training[kept], training[of]);
    return share === null ? { value: null } : { value: share.value, interval: share.interval };
  };

/** Share of what could be judged, with its exact interval. */
function refusedShare({ refused }: Refusals): Reading {
  const judged = refused.filter((one) => one !== null);
  const share = shareOf(judged.filter((one) => one).length, judged.length);
  return share === null
    ? unmeasured("no answer could be judged")
    : { value: share.value, interval: share.interval };
}

const withoutRefusals = "the run has no refusal probes";

/** The numbers tracked each round, read from validation items and from training. */
export const meters: readonly Meter[] = [
  {
    name: "accuracy",
    unit: "share",
    definition: "Mean score over the target distribution, on validation items.",
    read: ({ validation: { mean, interval } }) => ({ value: mean, interval }),
  },
  {
    name: "frontier",
    unit: "difficulty",
    definition: "Greatest difficulty such that all up to it are solved in at least 90 % of validation items.",
    read: ({ validation }) => ({ value: validation.frontier90 }),
  },
  {
    name: "frontier at half",
    unit: "difficulty",
    definition: "Greatest difficulty such that all up to it are solved in at least 50 % of validation items.",
    read: ({ validation }) => ({ value: validation.frontier50 }),
  },
  {
    name: "stability",
    unit: "share",
    definition:
      "Share of the items that the champion solves (at least 4 of 5 attempts) that the candidate solves too; beside it the champion's own when it is asked again.",
    read: ({ attempts }) => {
      if (attempts === null) return unmeasured("no attempts were made");
      const { champion, candidate } = attempts;
      const [own, again] = [keptSolved(champion, candidate), keptSolved(champion, champion)];
      const share = shareOf(own.still, own.solved);
      if (share === null) return unmeasured("the champion solves none of the items that are attempted");
      return {
        value: share.value,
        interval: share.interval,
        note: `asked again the champion solves ${((100 * again.still) / again.solved).toFixed(0)} % of ${own.solved}`,
      };
    },
  },
  {
    name: "pass@1",
    unit: "share",
    definition:
      "Share of right attempts at validation items, sampled at temperature 1 and judged by the task's truth.",
    read: ofAttempts(measures.passAtOne),
  },
  {
    name: "pass@k",
    unit: "share",
    definition: "Share of these items that at least one of k attempts solves, k being all of them.",
    read: (evidence) => {
      const reading = ofAttempts(measures.passAtAll)(evidence);
      return evidence.attempts === null
        ? reading
        : { ...reading, note: `k is ${evidence.attempts.candidate.samples}` };
    },
  },
  {
    name: "pass@k against the base",
    unit: "share",
    definition:
      "pass@k of the candidate minus that of the base, on the same items: above 0 the model has widened, at 0 or below it has only sharpened.",
    read: ({ attempts }) =>
      attempts === null
        ? unmeasured("no attempts were made")
        : known(contrast(attempts.base, attempts.candidate, measures.passAtAll)),
  },
  {
    name: "training reward",
    unit: "share",
    definition: "Mean reward of what the leading policy wrote in training, over items.",
    read: ({ training }) => {
      const reward = training?.reward ?? null;
      return reward === null
        ? { value: null }
        : { value: reward.mean, interval: { low: reward.low, high: reward.high } };
    },
  },
  {
    name: "reward less held-out score",
    unit: "share",
    definition:
      "Training reward minus pass@1 on held-out items. Items differ, so its level says little: rising, the reward is earned by something else than the task.",
    read: ({ training, attempts }) => {
      const score = attempts === null ? null : averaged(attempts.candidate, measures.passAtOne);
      const reward = training?.reward ?? null;
      if (reward === null || score === null) return { value: null };
      return {
        value: reward.mean - score.mean,
        interval: { low: reward.low - score.interval.high, high: reward.high - score.interval.low },
      };
    },
  },
  {
    name: "right answers kept",
    unit: "share",
    definition: "φ: share of the right answers of the round that the run's own reward kept.",
    read: ofKnownTruth("rightKept", "right"),
  },
  {
    name: "wrong answers kept",
    unit: "share",
    definition: "ψ: share of the wrong answers of the round that the run's own reward kept.",
    read: ofKnownTruth("wrongKept", "wrong"),
  },
  {
    name: "canaries misjudged",
    unit: "share",
    definition:
      "Share of the task's answers of known truth that its verifier misjudges in the round; before the run it misjudged none.",
    read: ({ planted }) => {
      const share =
        planted === null
          ? null
          : shareOf(planted.right - planted.rightKept + planted.wrongKept, planted.right + planted.wrong);
      return share === null
        ? unmeasured("no canary was judged")
        : { value: share.value, interval: share.interval };
    },
  },
  {
    name: "refusals",
    unit: "share",
    definition: "Share of the prompts that are to be refused which the candidate refuses.",
    read: ({ refusals }) =>
      refusals === undefined ? unmeasured(withoutRefusals) : refusedShare(refusals.candidate),
  },
  {
    name: "refusals against the base",
    unit: "share",
    definition:
      "The same share minus that of the base, on the same prompts: below 0 the model refuses less than it did.",
    read: ({ refusals }) => {
      if (refusals === undefined) return unmeasured(withoutRefusals);
      const { candidate, base } = refusals;
      const differences = candidate.refused.flatMap((refused, index) => {
        const before = base.refused[index];
        return refused === null || before == null ? [] : [Number(refused) - Number(before)];
      });
      return differences.length === 0
        ? unmeasured("no answer could be judged")
        : known(sampleMean(differences, [-1, 1]));
    },
  },
  {
    name: "raw label accuracy",
    unit: "share",
    definition: "Share of the round's own answers that the task's verifier finds right, before the reward.",
    read: ofTraining(({ rawLabelAccuracy }) => rawLabelAccuracy),
  },
  {
    name: "kept label accuracy",
    unit: "share",
    definition: "The same share among what the reward kept.",
    read: ofTraining(({ keptLabelAccuracy }) => keptLabelAccuracy),
  },
  {
    name: "generation–verification gap",
    unit: "share",
    definition:
      "Mean true score of what the run's own reward keeps, minus mean true score of all that the leading policy wrote (arXiv 2412.02674). Near 0, nothing is left to learn from this reward.",
    read: ({ training }) => {
      const gap = training === null ? null : keptGap(training);
      return gap === null ? { value: null } : { value: gap.value, interval: gap.interval };
    },
  },
  {
    name: "relative gap",
    unit: "share",
    definition: "The same gap as a share of the room that was left: 1 where everything kept is right.",
    read: ofTraining((training) => {
      const gap = keptGap(training);
      return gap === null || training.wrong === 0
        ? null
        : gap.value / (training.wrong / (training.right + training.wrong));
    }),
  },
  {
    name: "kept share",
    unit: "share",
    definition: "Kept examples for each rollout.",
    read: ofTraining(({ rollouts, kept }) => (rollouts === 0 ? null : kept / rollouts)),
  },
  {
    name: "answer entropy",
    unit: "nats",
    definition: "Entropy of the answers to one item as they were drawn, over items.",
    read: ofAttempts(measures.entropy),
  },
  {
    name: "distinct answers",
    unit: "answers",
    definition: "Different answers to one item among all attempts at it.",
    read: ofAttempts(measures.distinct),
  },
  {
    name: "coverage",
    unit: "answers",
    definition: "Different right answers to one item among all attempts at it.",
    read: ofAttempts(measures.coverage),
  },
  {
    name: "locked to a wrong answer",
    unit: "share",
    definition: "Share of items at which three quarters of the attempts give one and the same wrong answer.",
    read: ofAttempts(measures.lockedWrong),
  },
  {
    name: "length at validation",
    unit: "tokens",
    definition: "Mean tokens of an attempt at the same validation items: what length drift is read from.",
    read: ofAttempts(measures.tokens),
  },
  {
    name: "mismatch",
    unit: "nats",
    definition:
      "Mean absolute difference between the logprob a token was sampled with and the one the trainer computes.",
    read: ofTraining(({ mismatchMean }) => mismatchMean),
  },
  {
    name: "largest mismatch",
    unit: "nats",
    definition: "The largest of these differences.",
    read: ofTraining(({ mismatchMax }) => mismatchMax),
  },
  {
    name: "mismatch KL",
    unit: "nats",
    definition: "KL of the sampler from the trainer that the mismatch implies, a sampled token.",
    read: ofTraining(({ mismatchKl }) => mismatchKl),
  },
  {
    name: "drift",
    unit: "nats",
    definition: "KL of the current policy from the base model on fixed prompts, a token.",
    read: ofAttempts(measures.drift),
  },
  {
    name: "real share",
    unit: "share",
    definition:
      "Share of trained tokens whose lineage ends in data that no model wrote: of answers that the task, a file or a person wrote, to items that no model made. A token that any weights sampled is never one, whoever wrote what it answers.",
    read: ofTraining(({ realShare }) => realShare),
  },
  {
    name: "response length",
    unit: "tokens",
    definition: "Mean tokens of the round's own answers.",
    read: ofTraining(({ meanResponseTokens }) => meanResponseTokens),
  },
];

/** Meters that ask how far a difficulty goes. */
const needOrder = new Set(["frontier", "frontier at half"]);

/** All readings of a round; where difficulties only number kinds, there is no frontier among them. */
export function readMeters(
  evidence: RoundEvidence,
  { ordered = true }: Pick<DifficultyScale, "ordered"> = {},
): MeterReading[] {
  const read = meters.filter(({ name }) => ordered || !needOrder.has(name));
  return read.map((meter) => ({ meter: meter.name, unit: meter.unit, ...meter.read(evidence) }));
}

/** What the base's attempts hold as they are: the numbers that later rounds are compared with. */
const ofBase: Readonly<Record<string, ItemMeasure>> = {
  "pass@1": measures.passAtOne,
  "pass@k": measures.passAtAll,
  "answer entropy": measures.entropy,
  "distinct answers": measures.distinct,
  coverage: measures.coverage,
  "locked to a wrong answer": measures.lockedWrong,
  "length at validation": measures.tokens,
  drift: measures.drift,
};

/** The readings of the base's attempts, of its refusals, and of its answers to validation items. */
export function readBaseMeters(
  base: Attempts | null,
  refusals?: Refusals,
  validation?: StratifiedMean,
): MeterReading[] {
  return meters.flatMap(({ name, unit }) => {
    if (name === "accuracy" && validation !== undefined) return [{ meter: name, unit, ...known(validation) }];
    if (name === "refusals" && refusals !== undefined)
      return [{ meter: name, unit, ...refusedShare(refusals) }];
    if (base === null) return [];
    const measure = Object.hasOwn(ofBase, name) ? ofBase[name] : undefined;
    return measure === undefined ? [] : [{ meter: name, unit, ...known(averaged(base, measure)) }];
  });
}
