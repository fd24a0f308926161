import { waitFor } from "../../foundation/base/index.ts";
import type {
  Answer,
  Harness,
  Item,
  JudgedAnswer,
  Measurement,
  SamplingPolicy,
  StratumScore,
  Task,
} from "../../foundation/contract/index.ts";
import { meanOf, type StratumSample, stratifiedMean } from "../../foundation/statistics/index.ts";
import { isEnumerated, verdictOf } from "../../world/task/index.ts";
import { estimand } from "./items.ts";

export interface MeasureRequest {
  readonly task: Task;
  readonly harness: Harness;
  readonly policy: SamplingPolicy;
  /** The other roles that the harness asks. */
  readonly asked?: readonly SamplingPolicy[];
  /** Which weights these are, as the ledger names them. */
  readonly weightVersion: string;
  readonly items: readonly Item[];
  readonly split: "validation" | "audit";
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Measured {
  readonly measurement: Measurement;
  readonly judged: readonly JudgedAnswer[];
}

/** Answers items and scores the answers by stratum; a void verdict counts in no mean. */
export async function measure(request: MeasureRequest): Promise<Measured> {
  const { task, weightVersion, split } = request;
  const judged = await answerJudged(request);
  return { measurement: measurementOf(task, judged, { split, weightVersion }), judged };
}

/** Answers items and judges the answers, in the order of the items. */
export async function answerJudged(
  request: Omit<MeasureRequest, "weightVersion" | "split">,
): Promise<JudgedAnswer[]> {
  const { task, harness, policy, asked, items, seed, signal, onProgress } = request;
  const answers = await harness.answer({
    policy,
    ...(asked ? { asked } : {}),
    items,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (done) => onProgress(done, items.length) } : {}),
  });
  return judge(task, answers, signal);
}

/** All at once; a verifier may take its time, and nobody waits for it once the signal aborts. */
export function judge(task: Task, answers: readonly Answer[], signal?: AbortSignal): Promise<JudgedAnswer[]> {
  const judged = answers.map(async (answer) => ({
    ...answer,
    verdict: await verdictOf(task, answer.item, answer.response),
  }));
  return waitFor(Promise.all(judged), signal);
}

/** What judged answers come to, by stratum and over the target distribution. */
export function measurementOf(
  task: Task,
  judged: readonly JudgedAnswer[],
  { split, weightVersion }: Pick<Measurement, "split" | "weightVersion">,
): Measurement {
  const byStratum = Map.groupBy(judged, ({ item }) => item.stratum);
  const scores = new Map(
    [...byStratum].map(([name, answers]) => [
      name,
      answers.flatMap(({ verdict }) => (verdict.outcome === "scored" ? [verdict.score] : [])),
    ]),
  );
  const strata = task.strata.flatMap((stratum): StratumScore[] => {
    const answers = byStratum.get(stratum.name);
    const scored = scores.get(stratum.name);
    if (answers === undefined || scored === undefined) return [];
    return [
      {
        stratum: stratum.name,
        difficulty: stratum.difficulty,
        items: answers.length,
        mean: scored.length === 0 ? 0 : meanOf(scored),
        voids: answers.length - scored.length,
        enumerated: isEnumerated(stratum),
        cutOff: answers.filter(({ response }) => !response.complete).length,
      },
    ];
  });
  const ordered = task.difficulty.ordered !== false;
  const claimed = estimand(task).flatMap((stratum): StratumSample[] => {
    const values = scores.get(stratum.name) ?? [];
    return values.length === 0 ? [] : [{ weight: stratum.weight, values, whole: isEnumerated(stratum) }];
  });
  const { mean, interval } =
    claimed.length === 0 ? { mean: 0, interval: { low: 0, high: 1 } } : stratifiedMean(claimed, [0, 1]);
  return {
    weightVersion,
    split,
    strata,
    mean,
    interval,
    frontier90: ordered ? frontierOf(strata, 0.9) : null,
    frontier50: ordered ? frontierOf(strata, 0.5) : null,
  };
}

/** The greatest difficulty such that all up to it score at least `least`; null when the first does not. */
export function frontierOf(strata: readonly StratumScore[], least: number): number | null {
  let frontier: number | null = null;
  for (const { difficulty, mean } of strata) {
    if (mean < least) break;
    frontier = difficulty;
  }
  return frontier;
}
