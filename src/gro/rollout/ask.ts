import { userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type {
  Item,
  Message,
  Prompting,
  Rollout,
  SamplingPolicy,
  Task,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import { attempt } from "./attempt.ts";
import { messagesOf } from "./context.ts";
import { roleItem } from "./role-item.ts";
import { searchWords } from "./search.prompt.ts";

/** Something that is put to a policy which is no item of the task's: a critique, a verdict, another attempt. */
export interface Question {
  /** The item that it is about. */
  readonly item: Item;
  /** What is asked, such as `critique 2`: with the item's canonical form its identity, and what its random numbers depend on. */
  readonly name: string;
  readonly words: Prompting;
}

export interface AskRequest {
  readonly policy: SamplingPolicy;
  readonly samples: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP?: number;
  readonly maxTokens: (item: Item) => number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Answers to each question, in order. The rollouts' item is the question itself: no verifier of the task knows it. */
export async function ask(questions: readonly Question[], request: AskRequest): Promise<Rollout[][]> {
  const about = new Map<string, Item>();
  const items = questions.map(({ item, name, words }): Item => {
    const asked = roleItem(item, name, words);
    about.set(asked.canonical, item);
    return asked;
  });
  const groups = await attempt({
    ...request,
    items,
    maxTokens: (asked) => request.maxTokens(about.get(asked.canonical) ?? asked),
  });
  return groups.map(({ rollouts }) => [...rollouts]);
}

export interface WordsRequest {
  readonly task: Task;
  readonly policy: SamplingPolicy;
  /** Who asks: `revisions()`. */
  readonly by: string;
  /** The task's own words for it: `critique`. */
  readonly what: keyof NonNullable<Task["prompts"]>;
}

/**
 * The task's words for a question, or those that any chat model understands. Throws a user error `no-words` where the task has none
 * and the model reads no conversations.
 */
export function wordsOf(
  { task, policy, by, what }: WordsRequest,
  own: Prompting | undefined,
  usual: () => Prompting,
): Prompting {
  if (own !== undefined) return own;
  if (policy.tokenizer.chat !== undefined) return usual();
  throw wordless({ task, by, what }, policy.tokenizer);
}

/**
 * Refuses, before anything starts, what {@link wordsOf} would refuse in the middle of a round: throws a user error `no-words` where the
 * task has no words of its own and the model reads no conversations. Nothing is refused while the model is not there (undefined).
 */
export function checkWords(asking: Omit<WordsRequest, "policy">, tokenizer: Tokenizer | undefined): void {
  if (tokenizer === undefined || tokenizer.chat !== undefined) return;
  if (asking.task.prompts?.[asking.what] === undefined) throw wordless(asking, tokenizer);
}

function wordless({ task, by, what }: Omit<WordsRequest, "policy">, tokenizer: Tokenizer): WhetstoneError {
  return userError(
    "no-words",
    `${by}: the task ${task.name} says nothing of how to ask for this (prompts.${what}), and the model's tokenizer (${tokenizer.name}) has no chat template to be asked in plain words; give the task such words, or use an instruction-tuned model.`,
    { task: task.name, words: what },
  );
}

/** These words and nothing else. */
export function asked(words: string): Prompting {
  return { prompt: words, messages: [{ role: "user", content: words }] };
}

/** The item, with more said in its last message. */
export function withMore(item: Prompting, more: string): Prompting {
  const asked = messagesOf(item);
  const last = asked.at(-1);
  const content = `${last?.content ?? item.prompt}\n\n${more}`;
  return { prompt: item.prompt, messages: [...asked.slice(0, -1), { role: last?.role ?? "user", content }] };
}

/** Something asked, with how to search, and what was found. */
export function withSearchWords(words: Prompting, found: readonly string[]): Prompting {
  return withMore(words, searchWords(found));
}

/** A conversation about a response to an item, with something said after it. */
export function afterResponse(item: Item, response: string, ...said: readonly Message[]): Prompting {
  const messages = [...messagesOf(item), { role: "assistant", content: response }, ...said];
  return { prompt: messages.at(-1)?.content ?? "", messages };
}
