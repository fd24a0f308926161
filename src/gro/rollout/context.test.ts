import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Tokenizer } from "../../foundation/contract/index.ts";
import { loadTokenizer } from "../../model/text/index.ts";
import { contextTokens, responseTokens, stopTokensOf } from "./context.ts";
import { exampleOfDemonstration, weightedDatum } from "./example.ts";
import { chatty, exampleLike, itemOf, letters } from "./testing/fakes.ts";

const chats = fileURLToPath(new URL("../../model/text/fixtures/chats", import.meta.url));
const messages = [
  { role: "system", content: "s" },
  { role: "user", content: "ab" },
];

test("a context begins with the begin token where there is one", () => {
  expect(contextTokens(letters, itemOf("ab"))).toEqual(Int32Array.from([1, 97, 98]));
  const { beginToken: _, ...rest } = letters;
  expect(contextTokens(rest satisfies Tokenizer, itemOf("ab"))).toEqual(Int32Array.from([97, 98]));
});

test("a chat template writes the whole context: no begin token beside it, one message where there are no more", () => {
  expect(contextTokens(chatty, itemOf("ab"))).toEqual(letters.encode("user:ab;assistant:"));
  expect(contextTokens(chatty, { ...itemOf("ab"), messages })).toEqual(
    letters.encode("system:s;user:ab;assistant:"),
  );
});

test("a conversation is never flattened for a model that knows none", () => {
  expect(() => contextTokens(letters, { ...itemOf("ab"), messages })).toThrow(
    expect.objectContaining({
      code: "no-chat-template",
      category: "user",
      message: expect.stringContaining("letters has no chat template"),
    }),
  );
});

test("the end token is among those that end a response, once", () => {
  expect(stopTokensOf(letters)).toEqual([2]);
  expect(stopTokensOf(chatty)).toEqual([2, 5]);
});

test("a response ends with the end token", () => {
  expect(responseTokens(letters, itemOf("ab"), "c")).toEqual(Int32Array.of(99, 2));
  expect(responseTokens(letters, itemOf("ab"), "")).toEqual(Int32Array.of(2));
});

// What is expected is what Python's transformers says (src/model/text/fixtures/make_chats.py).
test.each(["smollm2", "llama3", "mistral", "llama2", "qwen2.5", "qwen3", "gemma", "phi3", "zephyr"])(
  "an example is the conversation that transformers tokenises, and the loss is on the answer: %s",
  async (name) => {
    const tokenizer = await loadTokenizer(`${chats}/${name}`);
    const expected = JSON.parse(readFileSync(`${chats}/${name}/expected.json`, "utf8"));
    const question = "What is 17 + 25?";
    const item = { ...itemOf(question), messages: [{ role: "user", content: question }] };
    const { context, response } = exampleOfDemonstration(tokenizer, { item, response: "42" });
    const ids: readonly number[] = expected.answered.whole.ids;
    expect([...context, ...response]).toEqual(ids.slice(0, context.length + response.length));
    // Templates end a message with a line break, and one of them the whole with its end of text.
    const after = ids.slice(context.length + response.length);
    expect(tokenizer.decode(Int32Array.from(after)).trim()).toBe("");
    expect(response.at(-1)).toBe(tokenizer.endToken);
    expect(
      tokenizer
        .decode(response)
        .trim()
        .replace(/^<think>\s*<\/think>\s*/, ""),
    ).toBe("42");
    const { tokens, targets, weights } = weightedDatum(exampleLike({ context, response }), 1);
    expect(tokens).toEqual(Int32Array.from([...context, ...response.subarray(0, -1)]));
    expect(targets.filter((_, position) => weights?.[position] === 1)).toEqual(response);
  },
);
