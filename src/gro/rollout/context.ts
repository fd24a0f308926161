import { userError } from "../../foundation/base/index.ts";
import type { Message, Prompting, TokenIds, Tokenizer } from "../../foundation/contract/index.ts";

/**
 * The token ids that ask for a response: by the model's chat template where it has one, else the begin token, if the model
 * has one, and the prompt. Throws user errors `no-chat-template` for a conversation that the model was taught no form for,
 * `special-token-in-text`, and those of the template.
 */
export function contextTokens(tokenizer: Tokenizer, item: Prompting): TokenIds {
  const { chat, beginToken } = tokenizer;
  if (chat !== undefined) return chat.prompt(messagesOf(item));
  if (item.messages !== undefined)
    throw userError(
      "no-chat-template",
      `The items are conversations, and ${tokenizer.name} has no chat template that says how to write one: use an ` +
        "instruction-tuned model, put its chat_template.jinja into the model's folder, or give items as prompt and answer.",
      { model: tokenizer.name },
    );
  const ids = tokenizer.encode(item.prompt);
  if (beginToken === undefined) return ids;
  const context = new Int32Array(ids.length + 1);
  context[0] = beginToken;
  context.set(ids, 1);
  return context;
}

/** The token ids that a model is to say after the context when this is its response; its end token is the last. */
export function responseTokens(tokenizer: Tokenizer, item: Prompting, response: string): TokenIds {
  const { chat, endToken } = tokenizer;
  if (chat !== undefined) return chat.answer(messagesOf(item), response);
  const ids = tokenizer.encode(response);
  const whole = new Int32Array(ids.length + 1);
  whole.set(ids);
  whole[ids.length] = endToken;
  return whole;
}

/** Every token that ends a response. */
export function stopTokensOf({ endToken, stopTokens = [] }: Tokenizer): readonly number[] {
  return [...new Set([endToken, ...stopTokens])];
}

/** The conversation that an item is, for a model that reads messages. */
export function messagesOf({ prompt, messages }: Prompting): readonly Message[] {
  return messages ?? [{ role: "user", content: prompt }];
}
