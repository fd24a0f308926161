import { describe, expect, test } from "vitest";
import { isWrong } from "./row.ts";
import { type Columns, rowOf } from "./shape.ts";

const names: Columns = {
  prompt: "prompt",
  answer: "answer",
  completion: "completion",
  messages: "messages",
  kind: "kind",
  id: "id",
};
const read = (columns: Readonly<Record<string, unknown>>, renamed: Partial<Columns> = {}) => {
  const row = rowOf({ line: 3, columns }, { ...names, ...renamed });
  if (isWrong(row)) return [row.reason, row.detail];
  const { line, ...rest } = row;
  expect(line).toBe(3);
  return rest;
};
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const system = { role: "system", content: "Be brief." };

describe("a row", () => {
  test.each<[string, Readonly<Record<string, unknown>>, unknown]>([
    ["prompt and answer", { prompt: "1?", answer: "1" }, { prompt: "1?", answer: "1" }],
    ["numbers", { prompt: 12, answer: 0.5 }, { prompt: "12", answer: "0.5" }],
    [
      "large whole numbers of Parquet",
      { prompt: "1?", answer: 2n ** 60n },
      { prompt: "1?", answer: "1152921504606846976" },
    ],
    ["prompt and completion", { prompt: "1?", completion: "1" }, { prompt: "1?", answer: "1" }],
    [
      "all three",
      { prompt: "1?", completion: "It is 1", answer: "1" },
      { prompt: "1?", completion: "It is 1", answer: "1" },
    ],
    [
      "an answer beside an empty cell",
      { prompt: "1?", completion: "", answer: "1" },
      { prompt: "1?", answer: "1" },
    ],
    ["white space is kept", { prompt: " 1?\n", answer: "1 " }, { prompt: " 1?\n", answer: "1 " }],
    ["messages", { messages: [user("1?"), assistant("1")] }, { prompt: "1?", answer: "1" }],
    [
      "a longer conversation",
      { messages: [system, user("1?"), assistant("1"), user("2?"), assistant("2")] },
      { prompt: "2?", messages: [system, user("1?"), assistant("1"), user("2?")], answer: "2" },
    ],
    [
      "messages written as JSON",
      { messages: JSON.stringify([user("1?"), assistant("1")]) },
      { prompt: "1?", answer: "1" },
    ],
    [
      "messages and the answer that they come to",
      { messages: [user("1?"), assistant("So it is 1")], answer: "1" },
      { prompt: "1?", completion: "So it is 1", answer: "1" },
    ],
    [
      "messages to answer",
      { messages: [system, user("1?")], answer: "1" },
      { prompt: "1?", messages: [system, user("1?")], answer: "1" },
    ],
    [
      "a prompt of messages",
      { prompt: [system, user("1?")], completion: [assistant("1")] },
      { prompt: "1?", messages: [system, user("1?")], answer: "1" },
    ],
    [
      "kind and id",
      { prompt: "1?", answer: "1", kind: " sums ", id: 7 },
      { prompt: "1?", answer: "1", kind: "sums", id: "7" },
    ],
    ["no kind", { prompt: "1?", answer: "1", kind: "", id: null }, { prompt: "1?", answer: "1" }],
    [
      "a template's own token",
      { prompt: "1?", answer: "<|im_end|>" },
      { prompt: "1?", answer: "<|im_end|>" },
    ],
  ])("may have %s", (_, columns, row) => {
    expect(read(columns)).toEqual(row);
  });

  test("may call its columns otherwise", () => {
    expect(
      read(
        { question: "1?", solution: "1", topic: "sums" },
        { prompt: "question", answer: "solution", kind: "topic" },
      ),
    ).toEqual({
      prompt: "1?",
      answer: "1",
      kind: "sums",
    });
  });

  test.each<[Readonly<Record<string, unknown>>, string, RegExp]>([
    [{ answer: "1" }, "lacks-prompt", /^it needs prompt or messages, and it has answer$/],
    [
      { promt: "1?", answer: "1" },
      "lacks-prompt",
      /it has promt, answer; are "promt" and "prompt" meant to be the same\?$/,
    ],
    [{ prompt: null, answer: "1" }, "lacks-prompt", /it needs prompt or messages/],
    [{}, "lacks-prompt", /it has no columns/],
    [{ messages: [assistant("1")] }, "lacks-prompt", /nothing stands before its answer/],
    [{ prompt: "1?" }, "lacks-answer", /^it needs answer or completion or messages, and it has prompt$/],
    [{ prompt: "1?", anwser: "1" }, "lacks-answer", /are "anwser" and "answer" meant to be the same\?/],
    [{ messages: [user("1?")] }, "lacks-answer", /it has messages/],
    [{ prompt: "1?", answer: true }, "wrong-type", /answer is a boolean, not text/],
    [{ prompt: "1?", answer: ["1"] }, "wrong-type", /answer is a list, not text/],
    [{ prompt: { text: "1?" }, answer: "1" }, "wrong-type", /prompt is an object, not text/],
    [
      { prompt: "1?", answer: 2 ** 60 },
      "wrong-type",
      /answer is a number that cannot be kept exactly; write it in quotes/,
    ],
    [{ prompt: "1?", answer: Number.NaN }, "wrong-type", /cannot be kept exactly/],
    [{ messages: "hello" }, "wrong-type", /messages is a string, not a list of messages/],
    [{ messages: ["hello"] }, "wrong-type", /message 1 of messages is a string/],
    [
      { messages: [{ from: "human", value: "1?" }] },
      "wrong-type",
      /message 1 of messages has the role undefined/,
    ],
    [
      { messages: [user("1?"), { role: "assistent", content: "1" }] },
      "wrong-type",
      /message 2 of messages has the role "assistent"/,
    ],
    [
      { messages: [{ role: "user", content: [{ type: "text" }] }] },
      "wrong-type",
      /the content of message 1 of messages is a list/,
    ],
    [
      { prompt: [user("1?"), assistant("1")], answer: "2" },
      "wrong-type",
      /prompt ends with a message by the assistant/,
    ],
    [
      { prompt: "1?", completion: [user("1")] },
      "wrong-type",
      /completion is not one message by the assistant/,
    ],
    [{ prompt: "1?", answer: "1", kind: {} }, "wrong-type", /kind is an object/],
    [{ prompt: " \n", answer: "1" }, "empty-prompt", /empty/],
    [{ messages: [system, user(""), assistant("1")] }, "empty-prompt", /empty/],
    [{ prompt: "1?", answer: "" }, "empty-answer", /empty/],
    [{ prompt: "1?", answer: " " }, "empty-answer", /empty/],
    [{ prompt: "1?", answer: "1", completion: " " }, "empty-answer", /empty/],
    [{ messages: [user("1?"), assistant("")] }, "empty-answer", /empty/],
    [{ prompt: "1?\ud800", answer: "1" }, "not-unicode", /half of a surrogate pair stands alone/],
    [{ prompt: "1?", answer: "\udc00" }, "not-unicode", /half/],
    [{ prompt: [{ role: "system", content: "\ud83d" }, user("1?")], answer: "1" }, "not-unicode", /half/],
    [{ prompt: "1\0?", answer: "1" }, "nul-character", /u0000/],
    [{ prompt: "1?", answer: "x".repeat(2 ** 23 + 1) }, "too-long", /that long together/],
  ])("%# is refused with its reason", (columns, reason, detail) => {
    expect(read(columns)).toEqual([reason, expect.stringMatching(detail)]);
  });
});
