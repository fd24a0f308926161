import { userError } from "../../foundation/base/index.ts";
import type {
  Item,
  Prompting,
  Response,
  SamplingPolicy,
  Task,
  TokenIds,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import { contextTokens, responseTokens } from "./context.ts";
import { verdictMessages } from "./verdict.prompt.ts";

/** What a verdict is about: a whole response, each beginning of one that ends with a step, or the item before anyone responds. */
export const verdictSubjects = ["outcome", "steps", "item"] as const;
type VerdictSubject = (typeof verdictSubjects)[number];

export interface VerdictWords {
  readonly of: VerdictSubject;
  /** What stands between two steps. */
  readonly separator: string;
}

/** A question that is answered by one of two tokens. */
export interface VerdictQuestion {
  readonly prompting: Prompting;
  readonly context: TokenIds;
  /** The tokens that say right and wrong. */
  readonly right: number;
  readonly wrong: number;
}

/**
 * What is asked of one response: one question, or one a step. In the task's words (`prompts.judge`, `prompts.verdictWords`), else in
 * plain language, which needs a model with a chat template; of an item alone nothing is asked but the item itself. Throws user errors
 * `no-judge` where there are no words, and `no-verdict` where the two verdicts begin with one token.
 */
export function questionsOf(
  tokenizer: Tokenizer,
  task: Task,
  { item, response }: { readonly item: Item; readonly response: Response },
  { of, separator }: VerdictWords,
): VerdictQuestion[] {
  const words = verdictWordsOf(task);
  const ask = (prompting: Prompting): VerdictQuestion => ({
    prompting,
    context: contextTokens(tokenizer, prompting),
    ...verdictTokens(tokenizer, words, prompting),
  });
  if (of === "item") return [ask(item)];
  const judge = (text: string): Prompting => {
    const judged = { ...response, text };
    const own = task.prompts?.judge?.(item, judged);
    if (own !== undefined) return own;
    if (tokenizer.chat === undefined)
      throw userError(
        "no-judge",
        `The task ${task.name} has no words to ask whether a response is right (prompts.judge), and ${tokenizer.name} reads no messages: give the task these words, or use a model with a chat template.`,
      );
    return { prompt: item.prompt, messages: [...verdictMessages(item, judged, words)] };
  };
  return (of === "outcome" ? [response.text] : beginningsOf(response.text, separator)).map((text) =>
    ask(judge(text)),
  );
}

/** Refuses, with a user error `no-verdict`, a task whose two verdicts begin with one token of this tokenizer. */
export function checkVerdictWords(task: Task, tokenizer: Tokenizer): void {
  verdictTokens(tokenizer, verdictWordsOf(task), { prompt: "?" });
}

function verdictWordsOf({ prompts }: Task): readonly [right: string, wrong: string] {
  return prompts?.verdictWords ?? ["yes", "no"];
}

function verdictTokens(
  tokenizer: Tokenizer,
  words: readonly [right: string, wrong: string],
  prompting: Prompting,
): Pick<VerdictQuestion, "right" | "wrong"> {
  const [right, wrong] = words.map((word) => responseTokens(tokenizer, prompting, word)[0]);
  if (right === undefined || wrong === undefined || right === wrong)
    throw userError(
      "no-verdict",
      `${tokenizer.name} begins "${words[0]}" and "${words[1]}" with the same token, so that no verdict can be read: give the task other verdictWords.`,
    );
  return { right, wrong };
}

/** A text up to the end of each of its steps; empty steps are none. */
function beginningsOf(text: string, separator: string): string[] {
  const steps = text.split(separator);
  const beginnings = steps.flatMap((step, index) =>
    step.trim() === "" ? [] : [steps.slice(0, index + 1).join(separator)],
  );
  return beginnings.length === 0 ? [text] : beginnings;
}

/** How a question is answered. */
export interface VerdictReading {
  /** p(right) / (p(right) + p(wrong)), each the probability of the token that says it. */
  readonly share: number;
  /** p(right) + p(wrong). */
  readonly mass: number;
}

/** Of the token that follows each question. */
export async function readVerdicts(
  { sampler }: SamplingPolicy,
  questions: readonly VerdictQuestion[],
  signal?: AbortSignal,
): Promise<VerdictReading[]> {
  if (questions.length === 0) return [];
  const sequences = questions.flatMap(({ context, right, wrong }) =>
    [right, wrong].map((verdict) => Int32Array.of(...context, verdict)),
  );
  const logprobs = await sampler.logprobs(sequences, signal ? { signal } : {});
  return questions.map((_, index) => {
    const [right = Number.NaN, wrong = Number.NaN] = [2 * index, 2 * index + 1].map((place) =>
      logprobs[place]?.at(-1),
    );
    return { share: 1 / (1 + Math.exp(wrong - right)), mass: Math.exp(right) + Math.exp(wrong) };
  });
}
