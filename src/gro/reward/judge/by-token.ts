import type { RolloutGroup, ScoredGroup, ScoredRollout, Task } from "../../../foundation/contract/index.ts";
import { ask, contextTokens, type Question } from "../../rollout/index.ts";
import { type RewardContext, unreadPart } from "../part.ts";
import { learnerOf } from "./seat.ts";

/** A judge that gives both words together less than this does not answer what was asked. */
const leastMass = 0.01;

export interface ByTokenOptions {
  /** Verdicts that are sampled of each response to learn from; 0 to learn none. */
  readonly learn: number;
}

/**
 * Scores by the probability of a word: p(right) / (p(right) + p(wrong)), each the probability of the first token of the task's word for
 * it after the task's question. Where verdicts are learnt, each that is sampled is a rollout of its own, and its reward the share that the
 * judge itself gives to what it says: judging is sharpened towards its own majority.
 */
export async function judgeByToken(
  groups: readonly RolloutGroup[],
  context: RewardContext,
  { learn }: ByTokenOptions,
): Promise<ScoredGroup[]> {
  const { task, models, seed, signal } = context;
  const waiting = signal ? { signal } : {};
  const judge = models.policyOf("judge");
  const { tokenizer, sampler } = judge;
  const questions = groups.flatMap(({ item, rollouts }) =>
    rollouts.map(({ response }, index): Question => {
      const words = task.prompts?.judge?.(item, response) ?? { prompt: "" };
      return { item, name: `verdict ${index}`, words };
    }),
  );
  const words = verdictTokens(task, (text) => tokenizer.encode(text));
  const sequences = questions.flatMap((question) => {
    const asked = contextTokens(tokenizer, question.words);
    return words.map((token) => Int32Array.from([...asked, token]));
  });
  const logprobs = sequences.length === 0 ? [] : await sampler.logprobs(sequences, waiting);
  const chances = questions.map((_, index) =>
    words.map((_, word) => Math.exp(logprobs[2 * index + word]?.at(-1) ?? Number.NaN)),
  );
  const verdicts =
    learn === 0
      ? []
      : await ask(questions, {
          policy: { ...judge, role: learnerOf(judge, context, rolesIn(groups)) },
          samples: learn,
          temperature: 1,
          maxTokens: () => 1,
          seed,
          ...waiting,
        });
  let next = 0;
  return groups.map(({ item, rollouts }) => {
    const scored = rollouts.map((rollout): { own: ScoredRollout; said: ScoredRollout[] } => {
      const place = next++;
      const [right = Number.NaN, wrong = Number.NaN] = chances[place] ?? [];
      const read = right + wrong >= leastMass;
      const reward = read ? right / (right + wrong) : null;
      const parts = { mass: right + wrong, ...(read ? {} : { [unreadPart]: 1 }) };
      const said = (verdicts[place] ?? []).map((verdict): ScoredRollout => {
        const token = verdict.segments.at(-1)?.tokens[0];
        const share = token === words[0] ? reward : token === words[1] && reward !== null ? 1 - reward : null;
        return { rollout: verdict, reward: share, parts: share === null ? { [unreadPart]: 1 } : {} };
      });
      return { own: { rollout, reward, parts }, said };
    });
    return {
      item,
      rollouts: [...scored.map(({ own }) => own), ...scored.flatMap(({ said }) => said)],
    };
  });
}

/** The first token of the task's words for right and for wrong. */
function verdictTokens({ prompts }: Task, encode: (text: string) => Int32Array): readonly [number, number] {
  const [right, wrong] = prompts?.verdictWords ?? ["yes", "no"];
  return [encode(right)[0] ?? -1, encode(wrong)[0] ?? -1];
}

export function rolesIn(groups: readonly RolloutGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap(({ rollouts }) => rollouts.map(({ role }) => role)));
}
