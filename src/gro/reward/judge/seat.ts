import type { ChatModel, Item, Rollout, SamplingPolicy } from "../../../foundation/contract/index.ts";
import { ask, messagesOf, type Question } from "../../rollout/index.ts";
import type { RewardContext } from "../part.ts";

export interface SeatOptions {
  readonly model: ChatModel | undefined;
  readonly temperature: number;
  readonly maxTokens: number;
}

/** A judgement in words, with its rollout where weights of the run wrote it. */
export interface Said {
  readonly text: string;
  readonly rollout?: Rollout;
}

/** Requests that wait at an endpoint at the same time. */
const atOnce = 8;

/**
 * Puts questions to whoever sits in the judge's seat: a chat model that was given, or the policy that plays the role `judge`. So many
 * answers to each, in order.
 */
export async function askJudge(
  questions: readonly Question[],
  samples: number,
  { models, seed, signal }: RewardContext,
  { model, temperature, maxTokens }: SeatOptions,
): Promise<Said[][]> {
  const waiting = signal ? { signal } : {};
  if (model === undefined) {
    const policy = models.policyOf("judge");
    const answers = await ask(questions, {
      policy,
      samples,
      temperature,
      maxTokens: () => maxTokens,
      seed,
      ...waiting,
    });
    return answers.map((own) => own.map((rollout) => ({ text: rollout.response.text, rollout })));
  }
  const answers: Said[][] = questions.map(() => []);
  const calls = questions.flatMap((_, place) => Array.from({ length: samples }, () => place));
  for (let start = 0; start < calls.length; start += atOnce) {
    const part = calls.slice(start, start + atOnce).map(async (place, index) => {
      const { words } = questions[place] as Question;
      const options = { maxTokens, temperature, seed: seed + start + index, ...waiting };
      return { place, text: (await model.answer(messagesOf(words), options)).text };
    });
    for (const { place, text } of await Promise.all(part)) answers[place]?.push({ text });
  }
  return answers;
}

/** What was asked, as a judge reads it. */
export function questionText(item: Item): string {
  const { messages } = item;
  if (messages === undefined || messages.length === 1) return item.prompt;
  return messages.map(({ role, content }) => `${role}: ${content}`).join("\n");
}

/** Whose weights learn from what the judge says: those of the writer, where the same ones play both. */
export function learnerOf(judge: SamplingPolicy, { models }: RewardContext, roles: Iterable<string>): string {
  for (const role of roles) if (models.policyOf(role).sampler === judge.sampler) return role;
  return judge.role;
}
