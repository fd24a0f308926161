import { internalError } from "../../foundation/base/index.ts";
import type { Answer, Gain, JudgedAnswer, Task } from "../../foundation/contract/index.ts";
import { type StratumSample, stratifiedMean } from "../../foundation/statistics/index.ts";
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
}): Promise<PairedScore[]> {
  const { task, candidate, champion } = request;
  return pair(...(await Promise.all([judge(task, candidate), judge(task, champion)])));
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

function pair(candidate: readonly JudgedAnswer[], champion: readonly JudgedAnswer[]): PairedScore[] {
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
      void: verdict.outcome === "void" || other.verdict.outcome === "void",
    };
  });
}
