import { type Json, waitFor } from "../../foundation/base/index.ts";
import {
  type Item,
  type Policy,
  type Response,
  type Rollout,
  type RolloutGroup,
  readSource,
  type SamplingPolicy,
  type ScoredGroup,
  type ScoredRollout,
  type Task,
  type Verdict,
} from "../../foundation/contract/index.ts";
import { ownSplit, truthOf, verdictOf } from "../../world/task/index.ts";
import type { Pass } from "../method.ts";
import { type RewardContext, trialPositions, unreadPart } from "../reward/part.ts";
import type { PassModels } from "../rollout/index.ts";
import { keptExamples } from "../update/index.ts";
import { checkedRewards, ofPart } from "./of-part.ts";
import { probeBeforeSteps, probePolicy } from "./probe.ts";
import { type Spent, samplingMeter } from "./sampling-meter.ts";
import { addTallies, type Tally } from "./tally.ts";

/** Shares that differ by less come of rounding. */
const leastDifference = 1e-6;

export interface RollRequest {
  readonly pass: Pass;
  readonly lead: string;
  readonly task: Task;
  readonly policies: readonly Policy[];
  readonly items: readonly Item[];
  readonly earlier: () => Promise<readonly ScoredGroup[]>;
  readonly reference: PassModels["reference"];
  readonly copy: PassModels["copy"];
  /** Does a part of the reward's work once over all attempts at the round. */
  readonly keep?: KeepOnce;
  /** One seed for all roles: the same item gets the same numbers. */
  readonly seed: number;
  /** The policies learn meanwhile, from this: what is written cannot be compared with what they become, so samplers are before. */
  readonly beside?: readonly ScoredGroup[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (itemsDone: number, items: number) => void;
  /** Generates a role's rollouts in parts that outlive an interruption; left out, they are generated as a whole. */
  readonly inParts?: GenerateInParts;
}

export type GenerateInParts = (
  role: string,
  items: readonly Item[],
  generate: GeneratePortion,
  onProgress: Hear,
) => Promise<Generated>;

type KeepOnce = <T extends Json>(name: string, work: () => Promise<T>) => Promise<T>;

/** Groups, and what sampling took until they were there: more than they hold where a part drops some of it. */
export interface Generated {
  readonly groups: readonly RolloutGroup[];
  readonly spent: readonly Spent[];
}

/** Hears how many items are done. */
export type Hear = (itemsDone: number) => void;

/** Generates the groups of some of the items, in their order. */
export type GeneratePortion = (items: readonly Item[], onProgress: Hear) => Promise<Generated>;

/** Generate for every role at once, then reward over all of them together. */
export async function roll(request: RollRequest): Promise<{ scored: ScoredGroup[]; tally: Tally }> {
  const { pass, lead, task, policies, items, earlier, reference, copy, keep } = request;
  const { seed, beside, signal, onProgress, inParts } = request;
  const waiting = signal ? { signal } : {};
  const done = new Map<string, number>();
  const longest = items.reduce((sum, item) => sum + task.maxTokens(item), 0);
  const tokens = longest * pass.generate.samplesPerItem;
  await using samplers = new AsyncDisposableStack();
  const expected = { tokens, whileTraining: beside !== undefined };
  const fresh: Promise<Partial<Tally>>[] = [];
  const speakers = new Map(
    await Promise.all(
      policies.map(async (policy): Promise<[string, SamplingPolicy]> => {
        const { role, model, tokenizer } = policy;
        const taking = model.snapshot({ ...waiting, expected });
        const freshness = beside && probeBeforeSteps(policy, rolloutsOf(beside, role), signal);
        const sampler = samplers.use(await taking);
        if (freshness !== undefined) fresh.push(freshness(sampler));
        return [role, { role, sampler, tokenizer }];
      }),
    ),
  );
  const speakerOf = (role: string): SamplingPolicy =>
    speakers.get(role) ?? speakers.get(lead) ?? ([...speakers.values()][0] as SamplingPolicy);
  const models: PassModels = { policyOf: (role) => ({ ...speakerOf(role), role }), reference, copy };
  const { writers = pass.roles } = pass;
  const writing = policies.filter(({ role }) => writers.includes(role));
  const byRole = await Promise.all(
    writing.map(async (policy) => {
      const { role } = policy;
      const { sampler } = speakerOf(role);
      const generate: GeneratePortion = async (portion, hear) => {
        const meter = samplingMeter();
        const groups = await ofPart(`To generate by “${pass.generate.name}”`, signal, async () =>
          pass.generate.generate({
            policy: meter.policy(speakerOf(role)),
            task,
            models: meter.models(models),
            earlier,
            items: portion,
            maxTokens: (item) => task.maxTokens(item),
            seed,
            ...waiting,
            onProgress: hear,
          }),
        );
        return { groups, spent: [meter.spent()] };
      };
      const hear = (count: number): void => {
        done.set(role, count);
        const all = [...done.values()].reduce((sum, one) => sum + one, 0);
        onProgress?.(all, items.length * writing.length);
      };
      const { groups, spent } = await (inParts?.(role, items, generate, hear) ?? generate(items, hear));
      // A critic that has a policy of its own wrote with other weights.
      const own = groups.flatMap(({ rollouts }) => rollouts.filter(({ role }) => role === policy.role));
      return {
        groups,
        spent,
        probed: beside === undefined ? await probePolicy(policy, sampler, own, signal) : {},
      };
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
  const { reward } = pass;
  const meter = samplingMeter();
  const spent = byRole.flatMap((one) => one.spent);
  const rewarding = ofPart(`The reward “${reward.name}”`, signal, async () =>
    reward.reward(groups, {
      verify,
      task,
      models: meter.models(models),
      ...(keep === undefined ? {} : { keep: keepingCount(keep, models, spent) }),
      seed: seed + 1,
      ...waiting,
    }),
  );
  const scored = checkedRewards(reward.name, await waitFor(rewarding, signal));
  const counts = await waitFor(countsOf(scored, lead, { judge, verify }), signal);
  const probed = [...byRole.map((one) => one.probed), ...(await waitFor(Promise.all(fresh), signal))];
  const sampled = [...spent, meter.spent()];
  return { scored, tally: addTallies([counts, foreignItems(scored, task), ...sampled, ...probed]) };
}

/** What kept work sampled is kept with its result, so that it counts as much in an attempt at the round that does not do it again. */
function keepingCount(
  keep: KeepOnce,
  models: PassModels,
  spent: Spent[],
): NonNullable<RewardContext["keep"]> {
  return async (name, work) => {
    const kept = await keep(name, async () => {
      const meter = samplingMeter();
      const result = await work(meter.models(models));
      return { result, spent: meter.spent() };
    });
    spent.push(kept.spent);
    return kept.result;
  };
}

/** What parts of one's own may bring in: a generator or a reward can give other items than it was given. */
function foreignItems(scored: readonly ScoredGroup[], task: Task): Partial<Tally> {
  const items = scored.flatMap(({ item, rollouts }) => [
    item,
    ...rollouts.flatMap(({ rollout, made }) => (made === undefined ? [rollout.item] : [rollout.item, made])),
  ]);
  const counts = { itemsOfValidation: 0, itemsOfDecision: 0, itemsOfAudit: 0 };
  for (const item of new Map(items.map((one) => [one.canonical, one])).values()) {
    const split = ownSplit(task, item);
    if (split === "validation") counts.itemsOfValidation += 1;
    if (split === "decision") counts.itemsOfDecision += 1;
    if (split === "audit") counts.itemsOfAudit += 1;
  }
  return counts;
}

function rolloutsOf(groups: readonly ScoredGroup[], role: string): Rollout[] {
  return groups.flatMap(({ rollouts }) =>
    rollouts.flatMap(({ rollout }) => (rollout.role === role ? [rollout] : [])),
  );
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
  /** Who knows the truth, and who was asked for a reward: one and the same, unless the task knows more than its verifier. */
  { judge, verify }: Readonly<Record<"judge" | "verify", RewardContext["verify"]>>,
): Promise<Partial<Tally>> {
  // A critique or a verdict answers no item of the task: nothing knows its truth.
  const answered = new Set(scored.map(({ item }) => item.canonical));
  const right = async ({ item, response }: Rollout): Promise<boolean | null> => {
    if (!answered.has(item.canonical)) return null;
    const verdict = await judge(item, response);
    return verdict.outcome === "scored" ? verdict.score >= 1 : null;
  };
  const rollouts = scored.flatMap((group) => group.rollouts.map(({ rollout }) => rollout));
  const byLead = scored.flatMap(({ item, rollouts: own }) =>
    own.filter(({ rollout }) => rollout.role === lead && rollout.item.canonical === item.canonical),
  );
  const led = await Promise.all(byLead.map(({ rollout }) => right(rollout)));
  const unjudged = await Promise.all(
    byLead.map(
      async ({ rollout: { item, response }, reward }) =>
        reward === null && (await verify(item, response)).outcome === "void",
    ),
  );
  const { raised, untold } = judgedBy(scored, lead);
  const keptOf = (wanted: boolean): number =>
    byLead.filter((one, index) => raised.has(one) && led[index] === wanted).length;
  const voidOf = (wanted: boolean): number =>
    byLead.filter((one, index) => untold.has(one) && led[index] === wanted).length;
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
    rightVoid: voidOf(true),
    wrongVoid: voidOf(false),
    ...rewardSums(scored, lead),
    ...proposalCounts(scored),
    voidVerdicts: unjudged.filter(Boolean).length,
    unreadVerdicts: sumOfParts(scored, unreadPart),
    responseTokens: rollouts.reduce(
      (sum, { segments }) =>
        sum + segments.reduce((part, { kind, tokens }) => part + (kind === "sampled" ? tokens.length : 0), 0),
      0,
    ),
    trialPositionsTrained: sumOfParts(scored, trialPositions),
  };
}

function sumOfParts(scored: readonly ScoredGroup[], part: string): number {
  return scored.reduce(
    (sum, { rollouts }) => sum + rollouts.reduce((own, { parts }) => own + (parts[part] ?? 0), 0),
    0,
  );
}

interface Judged {
  /** Of a reward that keeps or drops: reward 1. Of one that gives shares, as a judge does: more than the mean of the item's attempts. */
  readonly raised: ReadonlySet<ScoredRollout>;
  /** Shares that are all the same say nothing of their item's attempts, as where there is none. */
  readonly untold: ReadonlySet<ScoredRollout>;
}

/** What a reward makes likelier, by a preference or a gradient. */
function judgedBy(scored: readonly ScoredGroup[], lead: string): Judged {
  const groups = scored.map(({ item, rollouts }) => {
    const own = rollouts.filter(
      ({ rollout }) => rollout.role === lead && rollout.item.canonical === item.canonical,
    );
    const told = own.filter(({ reward }) => reward !== null);
    const rewards = told.map(({ reward }) => reward ?? 0);
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rewards.length);
    const whole = rewards.every((reward) => reward === 0 || reward === 1);
    if (!whole && Math.max(...rewards) - Math.min(...rewards) < leastDifference)
      return { raised: [], untold: own };
    return {
      raised: told.filter(({ reward }) => (whole ? reward === 1 : (reward ?? 0) > mean)),
      untold: own.filter(({ reward }) => reward === null),
    };
  });
  return {
    raised: new Set(groups.flatMap(({ raised }) => raised)),
    untold: new Set(groups.flatMap(({ untold }) => untold)),
  };
}

/** Of the items that a model wrote, how many their attempts can be told apart on: by what they were rewarded, and not by the truth. */
function proposalCounts(scored: readonly ScoredGroup[]): Partial<Tally> {
  const attempted = scored
    .filter(({ item: { source } }) => readSource(source).kind === "model")
    .map(({ item, rollouts }) =>
      rollouts.flatMap(({ rollout, reward }) =>
        rollout.item.canonical === item.canonical && reward !== null ? [reward] : [],
      ),
    )
    .filter(({ length }) => length > 1);
  const those = (all: (reward: number) => boolean): number =>
    attempted.filter((rewards) => rewards.every(all)).length;
  return {
    proposalsAttempted: attempted.length,
    proposalsNeverSolved: those((reward) => reward <= 0),
    proposalsAlwaysSolved: those((reward) => reward >= 1),
  };
}

/** Attempts at one item are not independent, their means are: so items are counted. */
function rewardSums(scored: readonly ScoredGroup[], lead: string): Partial<Tally> {
  const means = scored.flatMap(({ item, rollouts }) => {
    const rewards = rollouts.flatMap(({ rollout, reward }) =>
      rollout.role === lead && rollout.item.canonical === item.canonical && reward !== null
        ? [Math.min(1, Math.max(0, reward))]
        : [],
    );
    return rewards.length === 0 ? [] : [rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length];
  });
  return {
    rewardedItems: means.length,
    rewardSum: means.reduce((sum, mean) => sum + mean, 0),
    rewardSquares: means.reduce((sum, mean) => sum + mean * mean, 0),
  };
}
