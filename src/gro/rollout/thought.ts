import type { Rollout, Task, TokenIds, Tokenizer } from "../../foundation/contract/index.ts";
import { responseTokens } from "./context.ts";
import { sampledOf } from "./sampled.ts";

/** A response read as a thought, with the true continuation that it is to make likely. */
export interface Thought {
  readonly context: TokenIds;
  /** What was sampled up to where the answer begins. */
  readonly thought: TokenIds;
  /** The true answer in the place of the one that was given, and the end. */
  readonly continuation: TokenIds;
}

/**
 * What stands before a response's answer (`answerOf`), followed by the item's own answer in its place. Of a task that does not say what in
 * a response answers, all of a response is the thought, and the answer follows it. Undefined where the item has no answer, where the
 * response was cut off or holds none, or where nothing stands before it.
 */
export function thoughtOf(
  tokenizer: Tokenizer,
  task: Pick<Task, "answerOf">,
  rollout: Rollout,
): Thought | undefined {
  const { item, response, segments } = rollout;
  const { answer } = item;
  const { tokens } = sampledOf(rollout);
  if (answer === undefined || !response.complete) return undefined;
  const context = segments[0]?.tokens ?? new Int32Array();
  if (task.answerOf === undefined)
    return tokens.length === 0
      ? undefined
      : { context, thought: tokens, continuation: responseTokens(tokenizer, item, answer) };
  const given = task.answerOf(item, response);
  const at = given === undefined || given === "" ? -1 : response.text.lastIndexOf(given);
  if (given === undefined || at < 0) return undefined;
  const { length, text } = longestBefore(tokenizer, tokens, response.text, at);
  if (length === 0) return undefined;
  const rest = response.text.slice(text.length, at) + answer + response.text.slice(at + given.length);
  return {
    context,
    thought: tokens.subarray(0, length),
    continuation: responseTokens(tokenizer, item, rest),
  };
}

/** The most of the tokens that say nothing from that place of the text on, and what they say. */
function longestBefore(
  tokenizer: Tokenizer,
  tokens: TokenIds,
  text: string,
  at: number,
): { readonly length: number; readonly text: string } {
  for (let length = tokens.length; length > 0; length--) {
    const said = tokenizer.decode(tokens.subarray(0, length));
    // A character that several tokens share is not cut in two.
    if (said.length <= at && text.startsWith(said)) return { length, text: said };
  }
  return { length: 0, text: "" };
}
