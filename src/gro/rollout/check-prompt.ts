import { isWhetstoneError, userError, WhetstoneError } from "../../foundation/base/index.ts";
import type { Item, Task, Tokenizer } from "../../foundation/contract/index.ts";
import { contextTokens, responseTokens } from "./context.ts";

/** A model's limits, and what the task asks of it. */
export interface PromptLimits {
  readonly task: Pick<Task, "maxTokens">;
  /** The model's context, in tokens; no limit if undefined. */
  readonly maxPositions: number | undefined;
}

/**
 * That the model can be asked this item. Throws user errors `prompt-too-long` where the prompt and the longest answer do not
 * fit the model's context together, and those of `contextTokens`.
 */
export function checkPrompt(tokenizer: Tokenizer, item: Item, { task, maxPositions }: PromptLimits): void {
  const prompt = contextTokens(tokenizer, item).length;
  const answer = task.maxTokens(item);
  if (maxPositions === undefined || prompt + answer <= maxPositions) return;
  throw userError(
    "prompt-too-long",
    `${item.source}: the prompt has ${count(prompt)} tokens and its answer may have ${count(answer)}, and ${tokenizer.name} ` +
      `reads ${count(maxPositions)} at once: shorten it, leave it out, or allow shorter answers.`,
    { source: item.source, prompt, answer, maxPositions },
  );
}

/** The faults of listed items that are the user's to mend, each with the place where it was read. */
const ofItems = new Set([
  "prompt-too-long",
  "special-token-in-text",
  "conversation-refused",
  "text-not-in-vocabulary",
]);

interface ListedItems extends PromptLimits {
  readonly items: Iterable<Item>;
  /** One right response to an item, as it would be trained on. */
  readonly demonstrate: (item: Item) => string;
}

/**
 * That the model can be asked, and taught, every item of a list. Throws the first item's error with its place, and how many
 * items have one.
 */
export function checkItems(tokenizer: Tokenizer, { items, demonstrate, ...limits }: ListedItems): void {
  const faults = new Map<string, number>();
  let first: WhetstoneError | undefined;
  let all = 0;
  for (const item of items) {
    all += 1;
    try {
      checkPrompt(tokenizer, item, limits);
      responseTokens(tokenizer, item, demonstrate(item));
    } catch (error) {
      if (!isWhetstoneError(error) || !ofItems.has(error.code)) throw error;
      first ??= placed(error, item);
      faults.set(error.code, (faults.get(error.code) ?? 0) + 1);
    }
  }
  if (first === undefined) return;
  const { code, category, message, details, cause } = first;
  const faulty = faults.get(code) ?? 1;
  const otherwiseFaulty = [...faults.values()].reduce((sum, one) => sum + one, -faulty);
  const others = otherwiseFaulty === 0 ? "" : `, ${count(otherwiseFaulty)} another`;
  const counted = `Of ${count(all)} items, ${count(faulty)} have this fault${others}.`;
  throw new WhetstoneError({
    code,
    category,
    message: faulty + otherwiseFaulty === 1 ? message : `${message} (${counted})`,
    details: { ...details, items: all, faulty, otherwiseFaulty },
    cause,
  });
}

/** The same fault, with the item's file and line. */
function placed(
  { code, category, message, details, cause }: WhetstoneError,
  { source }: Item,
): WhetstoneError {
  const place = message.startsWith(source) ? "" : `${source}: `;
  return new WhetstoneError({
    code,
    category,
    message: place + message,
    details: { ...details, source },
    cause,
  });
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
