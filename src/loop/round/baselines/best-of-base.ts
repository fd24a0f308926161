import type { Harness, Item, Rollout, Task } from "../../../foundation/contract/index.ts";
import { methodOf } from "../../../gro/method/index.ts";
import { voteOf } from "../../../gro/reward/part.ts";
import { attempt, contextTokens } from "../../../gro/rollout/index.ts";
import { measure } from "../../../lifecycle/evaluate/index.ts";
import { type ChoosingOptions, choosing, mostFrequent } from "../../../lifecycle/refine/choosing.ts";
import { verdictOf } from "../../../world/task/index.ts";
import { ofSampling } from "../compute.ts";
import { leadCheckpoint, type RoundContext, signalOf, streamOf } from "../context.ts";
import { validationItems } from "../evaluate.ts";
import type { Arm, ArmRequest } from "./arm.ts";

/** More votes than these change no winner that matters: compute beyond them is not spent. */
export const mostAnswers = 256;
/** Items that tell how long sampled answers are. */
const itemsSounded = 256;
/** Sequences that are held at once. */
const mostSequences = 16_384;

/**
 * The base, untrained, with the run's compute spent on answers in place of training: as many to each validation item as it pays.
 * What selects is there when a model is used: the most frequent answer, or the verifier where the task says that it needs no
 * reference answer.
 */
export async function bestOfBase(context: RoundContext, request: ArmRequest): Promise<Arm> {
  const { definition, samplers, tokenizer } = context;
  const { task, optimize } = definition;
  const { base, point, progress } = request;
  const checkpoint = leadCheckpoint(context, base);
  const policy = await samplers.get(optimize.lead, checkpoint);
  const items = validationItems(context);
  const prompts = items.reduce((sum, item) => sum + contextTokens(tokenizer, item).length, 0);
  const temperature = temperatureOf(context, point.round);
  const sounded = everySo(items, itemsSounded);
  const groups = await attempt({
    policy,
    items: sounded,
    samples: 1,
    temperature,
    maxTokens: (item) => task.maxTokens(item),
    seed: streamOf(context, 0, "baseline-lengths").seed(),
    ...signalOf(context),
  });
  const sampled = groups.flatMap(({ rollouts }) => rollouts).reduce((sum, one) => sum + lengthOf(one), 0);
  const ofAnswers = (sampled / sounded.length) * items.length;
  const samples = Math.min(mostAnswers, Math.floor((point.compute / ofSampling - prompts) / ofAnswers));
  if (samples < 2) return { none: "the compute does not pay two answers to each validation item" };
  let spent = prompts;
  const { name, words, choose } = task.verifier.atInference === true ? byVerifier(task) : byVotes(task);
  const answering = choosing({ name, description: { samples, temperature }, samples, temperature, choose });
  const harness = inParts(answering, (rollouts) => {
    for (const rollout of rollouts) spent += lengthOf(rollout);
  });
  const measured = await measure({
    task,
    harness,
    policy,
    weightVersion: checkpoint,
    items,
    split: "validation",
    seed: streamOf(context, 0, "baseline-answers").seed(),
    ...signalOf(context),
    onProgress: (done, total) => progress("answer validation items", done, total),
  });
  return {
    measured,
    compute: ofSampling * spent,
    text: `of ${samples} answers of the base to each item ${words}`,
    made: [],
  };
}

/** As the run samples what it learns from; 1 where it does so greedily, or not at all. */
function temperatureOf({ definition }: RoundContext, round: number): number {
  const given = methodOf(definition.optimize, round).passes.map(
    ({ generate }) => generate.description.temperature,
  );
  return given.find((value): value is number => typeof value === "number" && value > 0) ?? 1;
}

function everySo(items: readonly Item[], most: number): readonly Item[] {
  const stride = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, index) => index % stride === 0);
}

function lengthOf({ segments }: Rollout): number {
  return segments.reduce((sum, { kind, tokens }) => sum + (kind === "sampled" ? tokens.length : 0), 0);
}

/** A few items at a time, their attempts forgotten once they are counted: many answers to many items are more than memory holds. */
function inParts(harness: Harness, count: (rollouts: readonly Rollout[]) => void): Harness {
  const each = Math.max(1, Math.floor(mostSequences / harness.samplesPerItem));
  return {
    ...harness,
    answer: async (request) => {
      const { items, onProgress } = request;
      const answers: Awaited<ReturnType<Harness["answer"]>> = [];
      for (let from = 0; from < items.length; from += each) {
        const part = items.slice(from, from + each);
        for (const answer of await harness.answer({
          ...request,
          items: part,
          onProgress: (done) => onProgress?.(from + done),
        })) {
          count(answer.rollouts);
          answers.push({ ...answer, rollouts: [] });
        }
      }
      return answers;
    },
  };
}

/** What of several answers is given: known when a model is used. */
interface Selecting extends Pick<ChoosingOptions, "name" | "choose"> {
  /** For people. */
  readonly words: string;
}

/**
 * Self-consistency by what the task says is a response's answer, the whole response where it says nothing. Those without an answer
 * have no vote unless none has.
 */
function byVotes(task: Task): Selecting {
  return {
    name: "self-consistency",
    words: `the most frequent${task.answerOf === undefined ? " response" : " answer"}`,
    choose: ({ rollouts }) => {
      const votes = new Map(rollouts.map((rollout) => [rollout, voteOf(task, rollout)]));
      const voters = rollouts.filter((rollout) => votes.get(rollout) !== undefined);
      return mostFrequent(voters.length > 0 ? voters : rollouts, (rollout) => votes.get(rollout));
    },
  };
}

/** The answer with the best verdict; the first of several. */
function byVerifier(task: Task): Selecting {
  return {
    name: "best by the verifier",
    words: "the one that the task's verifier, which needs no reference answer, finds best",
    choose: async ({ item, rollouts }) => {
      const verdicts = await Promise.all(rollouts.map(({ response }) => verdictOf(task, item, response)));
      const scores = verdicts.map((verdict) => (verdict.outcome === "scored" ? verdict.score : -1));
      return rollouts[scores.indexOf(Math.max(...scores))];
    },
  };
}
