import { z } from "zod";
import {
  type RandomStream,
  randomStream,
  readOptions,
  userError,
  valueWith,
} from "../../foundation/base/index.ts";
import type {
  EditedExample,
  Item,
  Policy,
  Problem,
  Rollout,
  RolloutGroup,
  SamplingPolicy,
  ScoredGroup,
  ScoredRollout,
  Task,
} from "../../foundation/contract/index.ts";
import { itemOf } from "../../world/task/index.ts";
import { attempt, contextTokens, type PassModels, responseTokens, roleItem } from "../rollout/index.ts";
import { type RewardContext, type RewardPart, trialParts } from "./part.ts";

/** What can train a copy: an update, such as supervised(). */
interface Trainer {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  readonly batch?: number;
  readonly needs?: RewardPart["needs"];
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

const optionsSchema = z.strictObject({
  /** How a copy learns what the edit says. */
  update: valueWith<Trainer>("update", "expected an update, such as supervised({ steps: 4 })"),
  /** Other items of the round, of the item's kind, that tell what came of it. */
  questions: z.number().int().min(1).default(8),
  /** Attempts at each of them, before and after. */
  attempts: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  /** What is kept (reward 1): every edit after which more is solved, or of each item the one after which most more is. */
  keep: z.enum(["improved", "best"]).default("best"),
  /** The examples of what is kept are given to be learnt too, as answers to what they ask. */
  learn: z.boolean().default(true),
});
export type EditEffectOptions = Readonly<z.input<typeof optionsSchema>>;

/** Copies that are trained at the same time: an engine has room for few. */
const copiesAtOnce = 2;

/**
 * What an edit does to the weights that are trained on it (SEAL, arXiv 2506.10943, section 3.1): for every edit a copy is loaded, trained on
 * its examples, asked held-out questions, and thrown away:
 *
 *   r(edit) = 1 if accuracy(θ′) > accuracy(θ), θ′ = train(θ, edit), else 0
 *
 * accuracy by the task's verifier, on other items of the round which the edit does not hold, with the same random numbers before and after.
 * Of what an edit says, items of the validation, decision and audit splits are never taught.
 * `parts` hold `before`, `after` and what the copy took; an edit that cannot be read has `valid` 0 and reward 0, one whose questions could
 * not be judged has none. An edit's trial is stored before the next begins, and is not made again.
 *
 * @example
 * gro({ generate: edits(), reward: editEffect({ update: supervised({ steps: 4, batch: 8 }) }), update: supervised(), items: 16 })
 */
export function editEffect(options: EditEffectOptions): RewardPart {
  const { update, ...read } = readOptions("editEffect()", optionsSchema, options);
  const { questions, attempts } = read;
  return {
    name: "edit effect",
    description: {
      ...read,
      update: update.name,
      ...Object.fromEntries(
        Object.entries(update.description).map(([key, value]) => [`update.${key}`, value]),
      ),
    },
    origin: "external",
    peers: 1,
    answersPerRollout: questions * attempts,
    trainedPerRollout: update.steps({ newest: 1, base: 0 }) * (update.batch ?? 1),
    // A copy is a checkpoint that begins anew, and is loaded beside the weights that wrote the edit.
    needs: { ...update.needs, freshOptimizer: true },
    check: ({ name, readEdit }) => {
      if (readEdit === undefined)
        throw userError(
          "no-edits",
          `editEffect(): the task ${name} cannot read training data that a model wrote: it has no readEdit.`,
        );
    },
    reward: async (groups, context) => {
      const { keep = (_, work) => work() } = context;
      const scored: ScoredGroup[] = [];
      for (const [place, group] of groups.entries()) {
        const asked = heldOut(groups, group.item, { ...context, count: questions });
        const before = await keep(`${place}/before`, async () => {
          const { policyOf } = context.models;
          return accuracyOf(policyOf(group.rollouts[0]?.role ?? ""), asked, read, context);
        });
        const trials: Trial[] = [];
        for (let start = 0; start < group.rollouts.length; start += copiesAtOnce) {
          const part = group.rollouts.slice(start, start + copiesAtOnce);
          trials.push(
            ...(await Promise.all(
              part.map((rollout, index) =>
                keep(`${place}/${start + index}`, () => tryOut(rollout, { asked, update, ...read, context })),
              ),
            )),
          );
        }
        scored.push(await scoredBy(group, { before, trials, ...read }, context));
      }
      return scored;
    },
  };
}

/** What came of training a copy on an edit; `after` is null where that could not be judged, `valid` 0 where there was nothing to train on. */
type Trial = {
  readonly valid: number;
  readonly after: number | null;
  readonly sampled: number;
  readonly trained: number;
};

interface TrialOptions {
  readonly asked: readonly Item[];
  readonly update: Trainer;
  readonly attempts: number;
  readonly temperature: number;
  readonly context: RewardContext;
}

async function tryOut(rollout: Rollout, { asked, update, context, ...trying }: TrialOptions): Promise<Trial> {
  const { models, task, seed, signal } = context;
  const held = new Set(asked.map(({ prompt }) => prompt));
  const taught = examplesIn(task, rollout).filter(({ prompt }) => !held.has(prompt));
  if (taught.length === 0 || asked.length === 0) return { valid: 0, after: null, sampled: 0, trained: 0 };
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
  const { accuracy, sampled } = await accuracyOf({ ...policy, sampler }, asked, trying, context);
  return { valid: 1, after: accuracy, sampled, trained: positionsTrained };
}

type Measured = { readonly accuracy: number | null; readonly sampled: number };

/** Share of attempts at the questions that are right, and the tokens that were sampled; null where none could be judged. */
async function accuracyOf(
  policy: SamplingPolicy,
  asked: readonly Item[],
  { attempts, temperature }: { readonly attempts: number; readonly temperature: number },
  { task, verify, seed, signal }: RewardContext,
): Promise<Measured> {
  if (asked.length === 0) return { accuracy: null, sampled: 0 };
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
  const sampled = rollouts.reduce((sum, { segments }) => sum + (segments[1]?.tokens.length ?? 0), 0);
  const sum = scores.reduce((total, score) => total + score, 0);
  return { accuracy: scores.length === 0 ? null : sum / scores.length, sampled };
}

/** Other items of the item's kind, drawn for it. */
function heldOut(
  groups: readonly RolloutGroup[],
  item: Item,
  { seed, count }: { readonly seed: number; readonly count: number },
): readonly Item[] {
  const others = groups
    .map((group) => group.item)
    .filter(({ canonical, stratum }) => stratum === item.stratum && canonical !== item.canonical);
  return randomStream(seed, `questions/${item.canonical}`).shuffle(others).slice(0, count);
}

/** What an edit teaches: nothing where it cannot be read, and none of the items that another split than training holds. */
function examplesIn(task: Task, { response, item }: Rollout): readonly EditedExample[] {
  const read = (response.complete ? task.readEdit?.(response.text, item.difficulty) : undefined) ?? [];
  return read.filter((example) => {
    const split = splitOf(task, { ...example, difficulty: item.difficulty });
    return split === undefined || split === "train" || split === "none";
  });
}

/** Undefined for what is no item of the task. */
function splitOf(task: Task, problem: Problem): Item["split"] | undefined {
  try {
    return itemOf(task, problem).split;
  } catch {
    return undefined;
  }
}

/** An example of an edit as an answer that the edit's writer gave, with no chance of its own: it was read out of a text. */
function asRollout(
  edit: Rollout,
  { response, ...asked }: EditedExample,
  index: number,
  policy: Pick<Policy, "tokenizer">,
): Rollout {
  const { tokenizer } = policy;
  const item = roleItem(edit.item, `edit ${edit.sample} ${index}`, asked);
  const tokens = responseTokens(tokenizer, item, response);
  return {
    ...edit,
    item,
    segments: [
      { kind: "context", tokens: contextTokens(tokenizer, item) },
      { kind: "sampled", tokens, logprobs: new Float32Array(tokens.length).fill(Number.NaN) },
    ],
    response: { text: response, complete: true },
  };
}

interface Trials {
  readonly before: Measured;
  readonly trials: readonly Trial[];
  readonly keep: "improved" | "best";
  readonly learn: boolean;
}

async function scoredBy(
  { item, rollouts }: RolloutGroup,
  { before, trials, keep, learn }: Trials,
  { models, task, signal }: RewardContext,
): Promise<ScoredGroup> {
  const gains = trials.map(({ after }) =>
    after === null || before.accuracy === null ? null : after - before.accuracy,
  );
  const best = Math.max(0, ...gains.map((gain) => gain ?? 0));
  const kept = (at: number): boolean => {
    const gain = gains[at] ?? 0;
    return keep === "improved" ? gain > 0 : gain > 0 && gain === best && gains.indexOf(gain) === at;
  };
  const scored = rollouts.map((rollout, at): ScoredRollout => {
    const { valid, after, sampled, trained } = trials[at] as Trial;
    const unknown = before.accuracy === null || (valid === 1 && after === null);
    return {
      rollout,
      reward: unknown ? null : kept(at) ? 1 : 0,
      parts: {
        valid,
        ...(after === null || before.accuracy === null ? {} : { before: before.accuracy, after }),
        [trialParts.tokensSampled]: sampled + (at === 0 ? before.sampled : 0),
        [trialParts.positionsTrained]: trained,
      },
    };
  });
  if (!learn) return { item, rollouts: scored };
  const taught = rollouts.flatMap((rollout, at) => {
    const policy = models.policyOf(rollout.role);
    return kept(at)
      ? examplesIn(task, rollout).map((example, index) => asRollout(rollout, example, index, policy))
      : [];
  });
  return { item, rollouts: [...scored, ...(await withLogprobs(taught, models, signal))] };
}

/** What the writer's weights give to the examples that are learnt, as all that is learnt says of itself. */
async function withLogprobs(
  taught: readonly Rollout[],
  models: PassModels,
  signal: AbortSignal | undefined,
): Promise<ScoredRollout[]> {
  const [first] = taught;
  if (first === undefined) return [];
  const wholes = taught.map(({ segments }) => Int32Array.from(segments.flatMap(({ tokens }) => [...tokens])));
  const logprobs = await models.policyOf(first.role).sampler.logprobs(wholes, signal ? { signal } : {});
  return taught.map((rollout, index): ScoredRollout => {
    const [context, said] = rollout.segments;
    const tokens = said?.tokens ?? new Int32Array();
    const own = (logprobs[index] ?? new Float32Array()).slice(context?.tokens.length);
    return {
      rollout: {
        ...rollout,
        segments: [
          { kind: "context", tokens: context?.tokens ?? new Int32Array() },
          { kind: "sampled", tokens, logprobs: own },
        ],
      },
      reward: 1,
      parts: {},
    };
  });
}
