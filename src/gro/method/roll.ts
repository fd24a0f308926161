import { waitFor } from "../../foundation/base/index.ts";
import type {
  Item,
  Policy,
  Response,
  Rollout,
  RolloutGroup,
  SamplingPolicy,
  ScoredGroup,
  Task,
  Verdict,
} from "../../foundation/contract/index.ts";
import { truthOf, verdictOf } from "../../world/task/index.ts";
import type { Pass } from "../method.ts";
import type { RewardContext } from "../reward/index.ts";
import { keptExamples } from "../update/index.ts";
import { probePolicy } from "./probe.ts";
import { addTallies, type Tally } from "./tally.ts";

export interface RollRequest {
  readonly pass: Pass;
  readonly lead: string;
  readonly task: Task;
  readonly policies: readonly Policy[];
  readonly items: readonly Item[];
  /** One seed for all roles: the same item gets the same numbers. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (itemsDone: number, items: number) => void;
  /** Generates a role's rollouts in parts that outlive an interruption; left out, they are generated as a whole. */
  readonly inParts?: (role: string, generate: GeneratePortion, onProgress: Hear) => Promise<RolloutGroup[]>;
}

/** Hears how many items are done. */
export type Hear = (itemsDone: number) => void;

/** Generates the groups of some of the items, in their order. */
export type GeneratePortion = (items: readonly Item[], onProgress: Hear) => Promise<RolloutGroup[]>;

/** Generate for every role at once, then reward over all of them together. */
export async function roll(request: RollRequest): Promise<{ scored: ScoredGroup[]; tally: Tally }> {
  const { pass, task, policies, items, seed, signal, onProgress, inParts } = request;
  const waiting = signal ? { signal } : {};
  const done = new Map<string, number>();
  const byRole = await Promise.all(
    policies.map(async (policy) => {
      await using sampler = await policy.model.snapshot(waiting);
      const sampling: SamplingPolicy = { role: policy.role, sampler, tokenizer: policy.tokenizer };
      const generate: GeneratePortion = (portion, hear) =>
        pass.generate.generate({
          policy: sampling,
          items: portion,
          maxTokens: (item) => task.maxTokens(item),
          seed,
          ...waiting,
          onProgress: hear,
        });
      const { role } = policy;
      const hear = (count: number): void => {
        done.set(role, count);
        const all = [...done.values()].reduce((sum, one) => sum + one, 0);
        onProgress?.(all, items.length * policies.length);
      };
      const groups = await (inParts?.(role, generate, hear) ?? generate(items, hear));
      const probed = await probePolicy(
        policy,
        sampler,
        groups.flatMap(({ rollouts }) => rollouts),
        signal,
      );
      return { groups, probed };
    }),
  );
  const groups = items.map(
    (item, index): RolloutGroup => ({
      item,
      rollouts: byRole.flatMap(({ groups: own }) => own[index]?.rollouts ?? []),
    }),
  );
  const verify = verifyOnce(task);
  const judge = task.truth === undefined ? verify : verifyOnce(truthOf(task));
  const scored = await waitFor(pass.reward.reward(groups, { verify }), signal);
  const counts = await waitFor(countsOf(scored, request.lead, judge), signal);
  return { scored, tally: addTallies([counts, ...byRole.map(({ probed }) => probed)]) };
}

/** The task's verdicts, each asked for once: reward and counts want the same, and a verifier may be slow. */
function verifyOnce(task: Pick<Task, "verifier">): RewardContext["verify"] {
  const asked = new WeakMap<Response, { readonly item: Item; readonly verdict: Promise<Verdict> }>();
  return (item, response) => {
    const known = asked.get(response);
    if (known?.item === item) return known.verdict;
    const verdict = verdictOf(task, item, response);
    asked.set(response, { item, verdict });
    return verdict;
  };
}

async function countsOf(
  scored: readonly ScoredGroup[],
  lead: string,
  verify: RewardContext["verify"],
): Promise<Partial<Tally>> {
  const right = async ({ item, response }: Rollout): Promise<boolean | null> => {
    const verdict = await verify(item, response);
    return verdict.outcome === "scored" ? verdict.score >= 1 : null;
  };
  const rollouts = scored.flatMap((group) => group.rollouts.map(({ rollout }) => rollout));
  const byLead = scored.flatMap((group) => group.rollouts.filter(({ rollout }) => rollout.role === lead));
  const led = await Promise.all(byLead.map(({ rollout }) => right(rollout)));
  const keptOf = (wanted: boolean): number =>
    byLead.filter(({ reward }, index) => reward !== null && reward >= 1 && led[index] === wanted).length;
  const kept = await Promise.all(keptExamples(scored, ({ rollout }) => right(rollout)));
  const count = (answers: readonly (boolean | null)[], wanted: (answer: boolean | null) => boolean): number =>
    answers.filter(wanted).length;
  return {
    rollouts: rollouts.length,
    judged: count(led, (answer) => answer !== null),
    judgedRight: count(led, (answer) => answer === true),
    kept: kept.length,
    keptJudged: count(kept, (answer) => answer !== null),
    keptRight: count(kept, (answer) => answer === true),
    rightKept: keptOf(true),
    wrongKept: keptOf(false),
    ...rewardSums(scored, lead),
    tokensSampled: rollouts.reduce(
      (sum, { segments }) =>
        sum + segments.reduce((part, { kind, tokens }) => part + (kind === "sampled" ? tokens.length : 0), 0),
      0,
    ),
  };
}

/** Attempts at one item are not independent, their means are: so items are counted. */
function rewardSums(scored: readonly ScoredGroup[], lead: string): Partial<Tally> {
  const means = scored.flatMap(({ rollouts }) => {
    const rewards = rollouts.flatMap(({ rollout, reward }) =>
      rollout.role === lead && reward !== null ? [Math.min(1, Math.max(0, reward))] : [],
    );
    return rewards.length === 0 ? [] : [rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length];
  });
  return {
    rewardedItems: means.length,
    rewardSum: means.reduce((sum, mean) => sum + mean, 0),
    rewardSquares: means.reduce((sum, mean) => sum + mean * mean, 0),
  };
}
