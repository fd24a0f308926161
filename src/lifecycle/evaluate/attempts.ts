import { joined, waitFor } from "../../foundation/base/index.ts";
import type {
  AttemptedItem,
  Attempts,
  Item,
  Rollout,
  Sampler,
  SamplingPolicy,
  Task,
} from "../../foundation/contract/index.ts";
import { attempt } from "../../gro/rollout/index.ts";
import { truthOf, verdictOf } from "../../world/task/index.ts";
import { estimand } from "./items.ts";

/** Attempts at each item: pass@k is read at 1 and at all of them, stability at twice five. */
export const attemptsAnItem = 16;
/** Attempts of one test of stability. */
const tested = 5;
/** Validation items for one that is attempted, and the fewest that are. */
const oneIn = 8;
const fewest = 16;

/**
 * The items to attempt: of each stratum as many as its weight asks for, so that they are a sample of the target distribution,
 * and at most `most`. Where validation items are few, an eighth of them, and 16 at least if there are so many.
 */
export function itemsToAttempt(task: Task, validation: readonly Item[], most: number): Item[] {
  const strata = estimand(task);
  const there = Map.groupBy(validation, ({ stratum }) => stratum);
  const total = strata.reduce((sum, { name }) => sum + (there.get(name)?.length ?? 0), 0);
  const count = Math.min(most, Math.max(fewest, Math.floor(total / oneIn)));
  const weights = strata.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  let taken = 0;
  return strata.flatMap(({ name, weight }) => {
    passed += weight;
    // Rounded where the sum stands, so that as many are taken in all as were asked for.
    const own = Math.round((count * passed) / weights) - taken;
    taken += own;
    return evenly(there.get(name) ?? [], own);
  });
}

/** Items that stand in an order are taken from all over it. */
function evenly(items: readonly Item[], count: number): Item[] {
  const wanted = Math.min(count, items.length);
  return Array.from(
    { length: wanted },
    (_, index) => items[Math.floor((index * items.length) / wanted)] as Item,
  );
}

export interface AttemptsRequest {
  readonly task: Task;
  readonly policy: SamplingPolicy;
  readonly weightVersion: string;
  readonly items: readonly Item[];
  readonly seed: number;
  /** The base model's sampler, for the drift from it; null where the policy is the base. */
  readonly base: Sampler | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Attempts at validation items, at temperature 1, judged by the task's truth. */
export async function measureAttempts(request: AttemptsRequest): Promise<Attempts> {
  const { task, policy, weightVersion, items, seed, base, signal, onProgress } = request;
  const waiting = signal ? { signal } : {};
  const groups = await attempt({
    policy,
    items,
    samples: attemptsAnItem,
    temperature: 1,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...waiting,
    ...(onProgress ? { onProgress: (done) => onProgress(done, items.length) } : {}),
  });
  const drifts =
    base === null
      ? null
      : await driftsFrom(
          base,
          groups.flatMap(({ rollouts }) => rollouts),
          waiting,
        );
  const truth = truthOf(task);
  const judged = groups.map(async ({ item, rollouts }) => {
    const verdicts = rollouts.map(({ response }) => verdictOf(truth, item, response));
    const scores = (await Promise.all(verdicts)).map((verdict) =>
      verdict.outcome === "scored" ? verdict.score >= 1 : null,
    );
    return summaryOf(item, rollouts, scores, drifts);
  });
  return {
    weightVersion,
    split: "validation",
    samples: attemptsAnItem,
    items: await waitFor(Promise.all(judged), signal),
  };
}

/** log π(y) − log π_base(y) of each attempt y, in nats; its mean estimates KL(π ‖ π_base) without bias. */
async function driftsFrom(
  base: Sampler,
  rollouts: readonly Rollout[],
  waiting: { readonly signal?: AbortSignal },
): Promise<ReadonlyMap<Rollout, number>> {
  const wholes = rollouts.map(({ segments }) => joined(segments.map(({ tokens }) => tokens)));
  const known = await base.logprobs(wholes, waiting);
  return new Map(
    rollouts.map((rollout, index) => {
      const context = rollout.segments[0]?.tokens.length ?? 0;
      const sampled = rollout.segments.find(({ kind }) => kind === "sampled");
      const logprobs = sampled?.kind === "sampled" ? sampled.logprobs : new Float32Array();
      return [rollout, logprobs.reduce((sum, own, at) => sum + apart(own, known[index]?.[context + at]), 0)];
    }),
  );
}

/** What the base finds all but impossible is this far off, not infinitely. */
const farthest = 100;

function apart(own: number, base: number | undefined): number {
  const difference = own - (base ?? Number.NaN);
  return Number.isFinite(difference) ? Math.min(farthest, Math.max(-farthest, difference)) : farthest;
}

function summaryOf(
  { stratum }: Item,
  rollouts: readonly Rollout[],
  right: readonly (boolean | null)[],
  drifts: ReadonlyMap<Rollout, number> | null,
): AttemptedItem {
  const said = rollouts.map(({ response: { complete, text } }) => `${complete}${text}`);
  const counts = [...Map.groupBy(said.keys(), (index) => said[index])].map(([, places]) => places);
  const modal = counts.reduce((most, one) => (one.length > most.length ? one : most), [] as number[]);
  const shares = counts.map(({ length }) => length / rollouts.length);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const rightIn = (from: number): number =>
    right.slice(from, from + tested).filter((one) => one === true).length;
  return {
    stratum,
    judged: right.filter((one) => one !== null).length,
    right: right.filter((one) => one === true).length,
    first: rightIn(0),
    second: rightIn(tested),
    distinct: counts.length,
    distinctRight: counts.filter(([first = 0]) => right[first] === true).length,
    entropy: Math.max(0, -sum(shares.map((share) => share * Math.log(share)))),
    modalShare: modal.length / rollouts.length,
    modalRight: right[modal[0] ?? 0] ?? null,
    tokens: sum(rollouts.map(lengthOf)) / rollouts.length,
    drift: drifts === null ? 0 : sum(rollouts.map((rollout) => drifts.get(rollout) ?? 0)) / rollouts.length,
  };
}

function lengthOf({ segments }: Rollout): number {
  return segments.reduce((sum, { kind, tokens }) => sum + (kind === "sampled" ? tokens.length : 0), 0);
}
