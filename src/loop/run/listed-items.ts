import { randomStream } from "../../foundation/base/index.ts";
import type { Item, RefusalProbes, Task } from "../../foundation/contract/index.ts";
import { checkItems } from "../../gro/rollout/index.ts";
import type { ModelNeeds, PreparedModel } from "../../model/engine/index.ts";
import { enumerateItems } from "../../world/task/index.ts";

/** What a task asks of a model before it is prepared. */
export function needsOf(task: Task, projectFolder: string): ModelNeeds {
  return { characters: task.characters, projectFolder, conversations: holdsConversations(task) };
}

/**
 * That the model can be asked, and taught, every item of the task's files, before anything trains: throws user errors
 * `prompt-too-long`, `special-token-in-text`, `conversation-refused` and `text-not-in-vocabulary` that name the first
 * such line and count the others.
 */
export function checkListedItems(task: Task, { tokenizer, maxPositions }: PreparedModel): void {
  const random = randomStream(0, "check");
  const demonstrate = (item: Item): string => task.demonstrate(item, random);
  checkItems(tokenizer, { task, maxPositions, items: listed(task), demonstrate });
}

/** The same of prompts that are to be refused. */
export function checkRefusals(refusals: RefusalProbes, { tokenizer, maxPositions }: PreparedModel): void {
  const { items, maxTokens } = refusals;
  checkItems(tokenizer, { task: { maxTokens: () => maxTokens }, maxPositions, items, demonstrate: () => "" });
}

function holdsConversations(task: Task): boolean {
  for (const { messages } of listed(task)) if (messages !== undefined) return true;
  return false;
}

/** Items that are listed in a file; those of a generator are endless, and all alike. */
function* listed(task: Task): Generator<Item> {
  for (const { splits, difficulty } of task.strata)
    if (splits !== undefined) yield* enumerateItems(task, difficulty);
}
