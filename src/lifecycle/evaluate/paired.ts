import { internalError } from "../../foundation/base/index.ts";
import type { Answer, Gain, JudgedAnswer, Task } from "../../foundation/contract/index.ts";
import { meanOf, type StratumSample, stratifiedMean } from "../../foundation/statistics/index.ts";
import { isEnumerated } from "../../world/task/index.ts";
import { estimand } from "./items.ts";
import { judge } from "./measure.ts";

/** Candidate minus champion on one item. */
export interface PairedScore {
  readonly stratum: string;
  readonly difference: number;
  /** One of the two has no score: the difference is then the worst for the candidate that the other's score allows. */
  readonly void: boolean;
}

/** Judges both and pairs them, in the order of the items, which must be the same. */
export async function pairsOf(request: {
  readonly task: Task;
  readonly candidate: readonly Answer[];
  readonly champion: readonly Answer[];
  readonly signal?: AbortSignal;
}): Promise<PairedScore[]> {
  const { task, candidate, champion, signal } = request;
  const both = [judge(task, candidate, signal), judge(task, champion, signal)] as const;
  const pairs = pair(...(await Promise.all(both)));
  return pairs.map(({ stratum, difference, void: isVoid }) => ({ stratum, difference, void: isVoid }));
}

/** The mean paired difference over the target distribution, with a 95 % interval. */
export function gainOf(request: {
  readonly task: Task;
  readonly before: readonly JudgedAnswer[];
  readonly after: readonly JudgedAnswer[];
}): Gain {
  const { task, before, after } = request;
  const differences = Map.groupBy(pair(after, before), ({ stratum }) => stratum);
  let pairs = 0;
  const strata = estimand(task).map((stratum): StratumSample => {
    const values = (differences.get(stratum.name) ?? []).map(({ difference }) => difference);
    pairs += values.length;
    return { weight: stratum.weight, values, whole: isEnumerated(stratum) };
  });
  return { ...stratifiedMean(strata, [-1, 1]), pairs };
}

/** Candidate minus champion on one item that can be named. */
export interface NamedPair extends PairedScore {
  readonly canonical: string;
}

/** All pairs, in the order of the items. */
export function namedPairs(request: {
  readonly before: readonly JudgedAnswer[];
  readonly after: readonly JudgedAnswer[];
}): NamedPair[] {
  const { before, after } = request;
  return pair(after, before).map(({ stratum, difference, void: isVoid }, index) => ({
    stratum,
    difference,
    void: isVoid,
    canonical: after[index]?.item.canonical ?? "",
  }));
}

/** The paired difference within one stratum. */
export interface StratumGain {
  readonly stratum: string;
  readonly difficulty: number;
  /** Mean scores of both; one without a score counts as worst for the candidate, as in the gain. */
  readonly before: number;
  readonly after: number;
  readonly gain: Gain;
  /** Items on which the candidate scored more, and less. */
  readonly won: number;
  readonly lost: number;
  /** Every item there is was answered: the gain is known, not estimated. */
  readonly enumerated: boolean;
  /** It is a part of what the gain over the target distribution is about. */
  readonly counts: boolean;
}

/** As {@link gainOf}, for each stratum alone, in the task's order. */
export function gainsByStratum(request: {
  readonly task: Task;
  readonly before: readonly JudgedAnswer[];
  readonly after: readonly JudgedAnswer[];
}): StratumGain[] {
  const { task, before, after } = request;
  const pairs = Map.groupBy(pair(after, before), ({ stratum }) => stratum);
  const counting = new Set(estimand(task).map(({ name }) => name));
  return task.strata.flatMap((stratum): StratumGain[] => {
    const own = pairs.get(stratum.name);
    if (own === undefined) return [];
    const values = own.map(({ difference }) => difference);
    const whole = isEnumerated(stratum);
    return [
      {
        stratum: stratum.name,
        difficulty: stratum.difficulty,
        before: meanOf(own.map(({ had }) => had)),
        after: meanOf(own.map(({ gained }) => gained)),
        gain: { ...stratifiedMean([{ weight: 1, values, whole }], [-1, 1]), pairs: values.length },
        won: values.filter((value) => value > 0).length,
        lost: values.filter((value) => value < 0).length,
        enumerated: whole,
        counts: counting.has(stratum.name),
      },
    ];
  });
}

interface Pair extends PairedScore {
  readonly gained: number;
  readonly had: number;
}

function pair(candidate: readonly JudgedAnswer[], champion: readonly JudgedAnswer[]): Pair[] {
  if (candidate.length !== champion.length)
    throw internalError(`${candidate.length} answers were compared with ${champion.length}`);
  return candidate.map(({ item, verdict }, index) => {
    const other = champion[index];
    if (other?.item.canonical !== item.canonical)
      throw internalError("answers to different items were compared");
    const gained = verdict.outcome === "scored" ? verdict.score : 0;
    const had = other.verdict.outcome === "scored" ? other.verdict.score : 1;
    return {
      stratum: item.stratum,
      difference: gained - had,
      gained,
      had,
      void: verdict.outcome === "void" || other.verdict.outcome === "void",
    };
  });
}
