import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Message, Tokenizer } from "../../foundation/contract/index.ts";
import { loadTokenizer } from "./index.ts";

const chats = fileURLToPath(new URL("fixtures/chats", import.meta.url));
const read = (path: string) => JSON.parse(readFileSync(join(chats, path), "utf8"));
const conversations: Readonly<Record<string, readonly Message[]>> = read("conversations.json");
const models = readdirSync(chats).filter((name) => !name.endsWith(".json"));

/** What transformers said: `undefined` where the template read what a conversation does not have. */
interface Said {
  readonly text?: string;
  readonly ids?: readonly number[];
  readonly refused?: string;
  readonly undefined?: true;
}
interface Expected {
  readonly whole: Said;
  readonly prompt: Said;
}

// What is expected is what Python's transformers says (fixtures/make_chats.py).
describe.each(models)("the chat format of %s", (name) => {
  const expected: Readonly<Record<string, Expected>> = read(`${name}/expected.json`);
  const specials: readonly string[] = read(`${name}/tokenizer.json`).added_tokens.flatMap(
    (token: { content: string; special: boolean }) => (token.special ? [token.content] : []),
  );

  let loading: Promise<Tokenizer> | undefined;

  test.each(Object.keys(conversations))("%s", async (title) => {
    loading ??= loadTokenizer(join(chats, name));
    const { chat, encode } = await loading;
    if (chat === undefined) return expect.unreachable();
    const messages = conversations[title] ?? [];
    const { whole, prompt } = expected[title] as Expected;
    if (prompt.refused !== undefined) {
      const message = expect.stringContaining(prompt.refused);
      const refusal = { code: "conversation-refused", category: "user", message };
      expect(() => chat.prompt(messages)).toThrow(expect.objectContaining(refusal));
      return;
    }
    expect(chat.render(messages)).toBe(whole.text);
    expect([...encode(chat.render(messages))]).toEqual(whole.ids);
    expect(chat.render(messages, { addGenerationPrompt: true })).toBe(prompt.text);
    if (specials.some((token) => messages.some(({ content }) => content.includes(token))))
      expect(() => chat.prompt(messages)).toThrow(expect.objectContaining({ code: "special-token-in-text" }));
    else expect([...chat.prompt(messages)]).toEqual(prompt.ids);
  });
});
