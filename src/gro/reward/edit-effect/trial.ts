import { type RandomStream, randomStream } from "../../../foundation/base/index.ts";
import type {
  EngineNeeds,
  Item,
  Policy,
  Rollout,
  RolloutGroup,
  SamplingPolicy,
  ScoredGroup,
  Task,
} from "../../../foundation/contract/index.ts";
import { attempt, type PassModels } from "../../rollout/index.ts";
import type { RewardContext } from "../part.ts";
import { asRollout, examplesIn } from "./examples.ts";

/** What can train a copy: an update, such as supervised(). */
export interface Trainer {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  readonly batch?: number;
  readonly needs?: EngineNeeds;
  steps(examples: { readonly newest: number; readonly base: number }): number;
  update(request: TrainerRequest): Promise<{ readonly positionsTrained: number }>;
}

interface TrainerRequest {
  readonly policy: Policy;
  readonly groups: readonly ScoredGroup[];
  readonly replay: { readonly base: readonly never[]; readonly older: readonly never[] };
  readonly task: Task;
  readonly models: Pick<PassModels, "reference">;
  readonly random: RandomStream;
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

/** What came of training a copy on an edit; `after` is null where that could not be judged, `valid` 0 where there was nothing to train on. */
export type Trial = {
  readonly valid: number;
  readonly after: number | null;
  readonly trained: number;
};

export interface TrialOptions {
  readonly asked: readonly Item[];
  readonly update: Trainer;
  readonly attempts: number;
  readonly temperature: number;
  readonly context: RewardContext;
}

export async function tryOut(
  rollout: Rollout,
  { asked, update, context, ...trying }: TrialOptions,
): Promise<Trial> {
  const { models, task, seed, signal } = context;
  const held = new Set(asked.map(({ prompt }) => prompt));
  const taught = examplesIn(task, rollout).filter(({ prompt }) => !held.has(prompt));
  if (taught.length === 0 || asked.length === 0) return { valid: 0, after: null, trained: 0 };
  await using copy = await models.copy(rollout.role);
  const { policy } = copy;
  const rollouts = taught.map((example, index) => asRollout(rollout, example, index, policy));
  const { positionsTrained } = await update.update({
    policy,
    groups: [
      { item: rollout.item, rollouts: rollouts.map((one) => ({ rollout: one, reward: 1, parts: {} })) },
    ],
    replay: { base: [], older: [] },
    task,
    models: { reference: models.reference },
    random: randomStream(seed, `trial/${rollout.item.canonical}/${rollout.sample}`),
    from: 0,
    to: update.steps({ newest: rollouts.length, base: 0 }),
    ...(signal ? { signal } : {}),
  });
  await using sampler = await policy.model.snapshot(signal ? { signal } : {});
  const after = await accuracyOf({ ...policy, sampler }, asked, trying, context);
  return { valid: 1, after, trained: positionsTrained };
}

/** Share of attempts at the questions that are right; null where none could be judged. */
export async function accuracyOf(
  policy: SamplingPolicy,
  asked: readonly Item[],
  { attempts, temperature }: { readonly attempts: number; readonly temperature: number },
  { task, verify, seed, signal }: RewardContext,
): Promise<number | null> {
  if (asked.length === 0) return null;
  const groups = await attempt({
    policy,
    items: asked,
    samples: attempts,
    temperature,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
  });
  const rollouts = groups.flatMap((group) => group.rollouts);
  const verdicts = await Promise.all(rollouts.map(({ item, response }) => verify(item, response)));
  const scores = verdicts.flatMap((verdict) => (verdict.outcome === "scored" ? [verdict.score] : []));
  const sum = scores.reduce((total, score) => total + score, 0);
  return scores.length === 0 ? null : sum / scores.length;
}

/** Other items of the item's kind, drawn for it. */
export function heldOut(
  groups: readonly RolloutGroup[],
  item: Item,
  { seed, count }: { readonly seed: number; readonly count: number },
): readonly Item[] {
  const others = groups
    .map((group) => group.item)
    .filter(({ canonical, stratum }) => stratum === item.stratum && canonical !== item.canonical);
  return randomStream(seed, `questions/${item.canonical}`).shuffle(others).slice(0, count);
}
