import { z } from "zod";
import type { Tolerance, TrainingEvidence } from "../../foundation/contract/index.ts";
import { meanOfSums } from "../../foundation/statistics/index.ts";
import type { Learning, UpdateOutcome, UpdatePart } from "../update/index.ts";
import { usualTeaching } from "./teaching.ts";

/** Sums that add up over repetitions, passes and roles; what meters and guards read is made of them. */
const storedTallySchema = z.object({
  rollouts: z.number(),
  /** Of the lead, judged by the task's verifier. */
  judged: z.number(),
  judgedRight: z.number(),
  kept: z.number(),
  keptJudged: z.number(),
  keptRight: z.number(),
  mismatchSum: z.number(),
  mismatchCount: z.number(),
  mismatchMax: z.number(),
  /** How far the models that were compared may differ, where they said it themselves: any one logprob, and their mean. */
  mismatchTolerance: z.number().nullable().default(null),
  mismatchMeanTolerance: z.number().nullable().default(null),
  freshness: z.number().nullable(),
  /** All that was sampled to learn from: responses, what a part wrote on the way to them, and what rewards asked for. */
  tokensSampled: z.number(),
  /** Of the responses. */
  responseTokens: z.number().optional(),
  tokensTrained: z.number(),
  realTokens: z.number(),
  /** Of all roles, rollouts that were left out as too old to learn from. */
  rolloutsStale: z.number().default(0),
  // What follows is 0 in what was stored before it was counted.
  /** Of the lead: right answers that the reward kept, and wrong ones. */
  rightKept: z.number().default(0),
  wrongKept: z.number().default(0),
  /** Those to which it gave no reward at all: of these it says nothing. */
  rightVoid: z.number().default(0),
  wrongVoid: z.number().default(0),
  /** Items whose attempts by the lead have rewards; sum and sum of squares of their mean rewards. */
  rewardedItems: z.number().default(0),
  rewardSum: z.number().default(0),
  rewardSquares: z.number().default(0),
  /** Σ e^d − 1 − d over sampled tokens, with d the recomputed minus the sampled logprob. */
  mismatchKlSum: z.number().default(0),
  /** Tokens of the prompts of all that was sampled, each once however many answers it had at a time. */
  promptsRead: z.number().default(0),
  /** Tokens of the sequences that were trained, with the prompts before their responses. */
  positionsTrained: z.number().default(0),
  /** Of the groups that the lead's update compared responses in: those that taught something, and those where nothing differs. */
  groupsTaught: z.number().default(0),
  groupsSkipped: z.number().default(0),
  /** Verdicts of a judge that could not be read. */
  unreadVerdicts: z.number().default(0),
  /** Of the lead: answers without a reward, on which the verifier gave no verdict. */
  voidVerdicts: z.number().default(0),
  /** Items that a model proposed and that were attempted: all, those that no attempt solved by the reward, those that all did. */
  proposalsAttempted: z.number().default(0),
  proposalsNeverSolved: z.number().default(0),
  proposalsAlwaysSolved: z.number().default(0),
  /** Of copies that a reward trained and threw away: tokens that they sampled, and of the sequences that they were trained on. */
  trialTokensSampled: z.number().default(0),
  trialPositionsTrained: z.number().default(0),
  /** Passes that had nothing to attempt, because the one before them made nothing. */
  passesEmpty: z.number().default(0),
  /** Steps of the lead's in which nothing was new: all of it was demonstrated, or kept by earlier rounds. */
  stepsReplayed: z.number().default(0),
  /** Items that were written for, or made, and belong to another split than training. */
  itemsOfValidation: z.number().default(0),
  itemsOfDecision: z.number().default(0),
  itemsOfAudit: z.number().default(0),
});

export const tallySchema = storedTallySchema.transform((tally) => ({
  ...tally,
  // Nothing but responses was counted before these were told apart.
  responseTokens: tally.responseTokens ?? tally.tokensSampled,
}));
export type Tally = z.infer<typeof tallySchema>;

export const emptyTally: Tally = {
  rollouts: 0,
  judged: 0,
  judgedRight: 0,
  kept: 0,
  keptJudged: 0,
  keptRight: 0,
  mismatchSum: 0,
  mismatchCount: 0,
  mismatchMax: 0,
  mismatchTolerance: null,
  mismatchMeanTolerance: null,
  freshness: null,
  tokensSampled: 0,
  responseTokens: 0,
  tokensTrained: 0,
  realTokens: 0,
  rolloutsStale: 0,
  rightKept: 0,
  wrongKept: 0,
  rightVoid: 0,
  wrongVoid: 0,
  rewardedItems: 0,
  rewardSum: 0,
  rewardSquares: 0,
  mismatchKlSum: 0,
  promptsRead: 0,
  positionsTrained: 0,
  groupsTaught: 0,
  groupsSkipped: 0,
  unreadVerdicts: 0,
  voidVerdicts: 0,
  proposalsAttempted: 0,
  proposalsNeverSolved: 0,
  proposalsAlwaysSolved: 0,
  trialTokensSampled: 0,
  trialPositionsTrained: 0,
  passesEmpty: 0,
  stepsReplayed: 0,
  itemsOfValidation: 0,
  itemsOfDecision: 0,
  itemsOfAudit: 0,
};

const largest = ["mismatchMax", "mismatchTolerance", "mismatchMeanTolerance", "freshness"] as const;
const isLargest = (key: keyof Tally): key is (typeof largest)[number] =>
  (largest as readonly string[]).includes(key);

export function addTallies(tallies: readonly Partial<Tally>[]): Tally {
  const total = { ...emptyTally };
  for (const tally of tallies) {
    for (const key of Object.keys(emptyTally) as (keyof Tally)[]) {
      const value = tally[key];
      if (value === undefined || value === null) continue;
      if (isLargest(key)) total[key] = Math.max(total[key] ?? 0, value);
      else total[key] += value;
    }
  }
  return total;
}

/** What an update that compares responses says of the groups, once it is made by what it found; nothing of one that does not. */
export function groupCounts(
  { compared }: UpdatePart,
  learning: Learning,
  outcome?: UpdateOutcome,
): Partial<Tally> {
  const counts = outcome?.compared ?? compared?.(learning);
  return counts === undefined ? {} : { groupsTaught: counts.taught, groupsSkipped: counts.skipped };
}

const noTokens = "nothing was learnt: no token was trained";

/**
 * Why nothing was learnt, in words; null where something was. `empty` says why passes had nothing to attempt, `teaching` what a group has
 * that teaches.
 */
export function whyNothingTaught(
  tally: Tally,
  empty: readonly string[] = [],
  teaching: string = usualTeaching,
): string | null {
  const { rollouts, kept, tokensTrained, groupsTaught, groupsSkipped, unreadVerdicts } = tally;
  const { rolloutsStale, trialTokensSampled, voidVerdicts } = tally;
  if (tokensTrained > 0) return null;
  if (empty.length > 0) return `nothing was learnt: ${[...new Set(empty)].join("; ")}`;
  if (rolloutsStale > 0)
    return `nothing was learnt: ${rolloutsStale} rollouts are of weights that lie too far back, and no others teach`;
  if (voidVerdicts > 0)
    return `nothing was learnt: the verifier gave no verdict on ${voidVerdicts} of ${rollouts} rollouts${voidVerdicts < rollouts ? ", and the others teach nothing" : ""}`;
  if (groupsTaught > 0) return noTokens;
  if (trialTokensSampled > 0)
    return `nothing was learnt: none of ${rollouts} edits made a copy better that was trained on it`;
  const unread = unreadVerdicts === 0 ? "" : `${unreadVerdicts} of the judge's verdicts could not be read`;
  if (groupsSkipped > 0 && rollouts > 0 && tally.rewardedItems === 0 && unread === "")
    return `nothing was learnt: none of ${rollouts} rollouts has a reward`;
  if (groupsSkipped > 0)
    return `nothing was learnt: none of ${groupsSkipped} groups ${teaching}${unread && `, and ${unread}`}`;
  if (unread !== "") return `nothing was learnt: ${unread}, and no other response has a reward`;
  if (rollouts > 0 && kept === 0) return `nothing was learnt: none of ${rollouts} rollouts was kept`;
  return noTokens;
}

/**
 * `tolerance` is how far the engine lets a sampled and a recomputed logprob differ in the run's precision, where models do not say it
 * of themselves; `circular` says that the verifier which judged the answers is the reward itself, `blocked` why nothing was learnt
 * from them.
 */
export function evidenceOf(
  tally: Tally,
  tolerance: Tolerance,
  { circular = false, blocked = null }: Partial<Pick<TrainingEvidence, "circular" | "blocked">> = {},
): TrainingEvidence {
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  return {
    rollouts: tally.rollouts,
    kept: tally.kept,
    rawLabelAccuracy: share(tally.judgedRight, tally.judged),
    keptLabelAccuracy: share(tally.keptRight, tally.keptJudged),
    keptJudged: tally.keptJudged,
    keptRight: tally.keptRight,
    mismatchMean: share(tally.mismatchSum, tally.mismatchCount),
    mismatchMax: tally.mismatchCount === 0 ? null : tally.mismatchMax,
    mismatchMeanTolerance: tally.mismatchMeanTolerance ?? tolerance.meanLogprob,
    mismatchTolerance: tally.mismatchTolerance ?? tolerance.logprob,
    freshness: tally.freshness,
    tokensSampled: tally.tokensSampled,
    tokensTrained: tally.tokensTrained,
    realShare: share(tally.realTokens, tally.tokensTrained),
    meanResponseTokens: share(tally.responseTokens, tally.rollouts),
    mismatchKl: share(tally.mismatchKlSum, tally.mismatchCount),
    right: tally.judgedRight - tally.rightVoid,
    rightKept: tally.rightKept,
    wrong: tally.judged - tally.judgedRight - tally.wrongVoid,
    wrongKept: tally.wrongKept,
    reward: rewardOf(tally),
    circular,
    blocked,
    // Said only where there is something to say: most methods compare nothing and ask no judge.
    ...(tally.groupsTaught + tally.groupsSkipped === 0
      ? {}
      : { groupsTaught: tally.groupsTaught, groupsSkipped: tally.groupsSkipped }),
    ...(tally.trialTokensSampled === 0
      ? {}
      : {
          trialTokensSampled: tally.trialTokensSampled,
          trialPositionsTrained: tally.trialPositionsTrained,
        }),
    ...(tally.passesEmpty === 0 ? {} : { passesEmpty: tally.passesEmpty }),
    ...(tally.stepsReplayed === 0 ? {} : { stepsReplayed: tally.stepsReplayed }),
    ...(tally.rolloutsStale === 0 ? {} : { rolloutsStale: tally.rolloutsStale }),
    ...(tally.unreadVerdicts === 0 ? {} : { unreadVerdicts: tally.unreadVerdicts }),
    ...(tally.voidVerdicts === 0 ? {} : { voidVerdicts: tally.voidVerdicts }),
    ...(tally.proposalsAttempted === 0
      ? {}
      : {
          proposed: {
            attempted: tally.proposalsAttempted,
            neverSolved: tally.proposalsNeverSolved,
            alwaysSolved: tally.proposalsAlwaysSolved,
          },
        }),
  };
}

/** Mean reward over items, as wide as the errors of so many independent means in [0, 1]; see {@link stratifiedMean}. */
function rewardOf({ rewardedItems: n, rewardSum, rewardSquares }: Tally): TrainingEvidence["reward"] {
  if (n === 0) return null;
  const mean = rewardSum / n;
  const { interval } = meanOfSums({ count: n, sum: rewardSum, squares: rewardSquares }, [0, 1]);
  return { mean, low: Math.min(mean, interval.low), high: Math.max(mean, interval.high) };
}
