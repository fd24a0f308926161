import { describe, expect, test } from "vitest";
import type { Item } from "../../foundation/contract/index.ts";
import { checkItems, checkPrompt } from "./check-prompt.ts";
import { chatty, itemOf, letters } from "./testing/fakes.ts";

const limits = (maxPositions: number | undefined) => ({ task: { maxTokens: () => 4 }, maxPositions });
const line = (number: number, prompt: string): Item => ({
  ...itemOf(prompt),
  source: `my.jsonl:${number}`,
});
const fault = (code: string, message: string, details: object) =>
  expect.objectContaining({
    code,
    category: "user",
    message: expect.stringContaining(message),
    details: expect.objectContaining(details),
  });

describe("checkPrompt", () => {
  test("counts the context, begin token and all, and the longest answer", () => {
    expect(() => checkPrompt(letters, line(3, "abc"), limits(8))).not.toThrow();
    expect(() => checkPrompt(letters, line(3, "abcd"), limits(8))).toThrow(
      fault("prompt-too-long", "my.jsonl:3: the prompt has 5 tokens and its answer may have 4", {
        source: "my.jsonl:3",
        prompt: 5,
        answer: 4,
        maxPositions: 8,
      }),
    );
    expect(() => checkPrompt(chatty, line(3, "abcd"), limits(8))).toThrow("the prompt has 20 tokens");
  });

  test("a model without a limit reads everything", () => {
    expect(() => checkPrompt(letters, line(1, "a".repeat(5000)), limits(undefined))).not.toThrow();
  });
});

describe("checkItems", () => {
  const check = (items: readonly Item[], answer = "ok", tokenizer = letters) =>
    checkItems(tokenizer, { ...limits(12), items, demonstrate: () => answer });

  test("passes what can be asked and taught", () => {
    expect(() => check([line(1, "a"), line(2, "abc")])).not.toThrow();
    expect(() => check([])).not.toThrow();
  });

  test("names the first line that is too long, and counts the others", () => {
    const long = "a".repeat(9);
    expect(() => check([line(1, "a"), line(2, long)])).toThrow(
      fault("prompt-too-long", "my.jsonl:2", { items: 2, faulty: 1, otherwiseFaulty: 0 }),
    );
    expect(() => check([line(1, "a"), line(2, long), line(3, long)])).toThrow(
      "shorten it, leave it out, or allow shorter answers. (Of 3 items, 2 have this fault.)",
    );
  });

  test("an answer that the template itself contains is named with its line", () => {
    const loose = (items: readonly Item[], answer: string) =>
      checkItems(chatty, { ...limits(undefined), items, demonstrate: () => answer });
    expect(() => loose([line(1, "user"), line(2, "assistant:")], "assistant")).not.toThrow();
    expect(() => loose([line(7, "a")], "b;")).toThrow(
      fault("special-token-in-text", "my.jsonl:7: A message holds ;.", { token: ";", source: "my.jsonl:7" }),
    );
  });

  test("counts what has another fault apart", () => {
    const { chat } = chatty;
    if (chat === undefined) return expect.unreachable();
    const prompt: typeof chat.prompt = ([message]) => letters.encode(message?.content ?? "");
    const tokenizer = { ...chatty, chat: { ...chat, prompt } };
    const items = [line(1, "a".repeat(9)), line(2, "b;"), line(3, "c")];
    expect(() => check(items, "ok", tokenizer)).toThrow("(Of 3 items, 1 have this fault, 1 another.)");
  });

  test("what is no fault of an item is thrown as it is", () => {
    const broken = new Error("broken");
    const tokenizer = {
      ...letters,
      encode: () => {
        throw broken;
      },
    };
    expect(() => check([line(1, "a")], "ok", tokenizer)).toThrow(broken);
  });
});
