import { expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Split, Task } from "../../foundation/contract/index.ts";
import { drawItems, itemOf, reverse } from "../../world/task/index.ts";
import { quotingDocuments } from "./quoting-documents.ts";

const [stratum] = reverse().strata;
/** 200 questions that are listed, of so many words. */
function listed(words: number): Task {
  const problems = Array.from({ length: 200 }, (_, index) => ({
    difficulty: 1,
    prompt: Array.from({ length: words }, (_, at) => (at < 3 ? `all${at}` : `w${index}x${at}`)).join(" "),
    answer: `it is ${index}`,
  }));
  const splits = { train: 100, validation: 20, decision: 50, audit: 30 };
  const task: Task = {
    ...reverse(),
    name: `listed ${words}`,
    strata: [{ name: "all", difficulty: 1, weight: 1, distinct: 200, ...stratum, splits }],
    canonical: ({ prompt }) => prompt,
    enumerate: () => problems,
  };
  const exact = { train: 0, validation: 0, decision: 0, audit: 0 };
  for (const problem of problems) exact[itemOf(task, problem).split as Split] += 1;
  return { ...task, strata: task.strata.map((one) => ({ ...one, difficulty: 1, splits: exact })) };
}
const random = randomStream(1, "test");
const one = (task: Task, split: Split) =>
  drawItems({ task, difficulty: 1, split, count: 1, random })[0] ?? { prompt: "", answer: "" };

test.each([["decision"], ["audit"]] as const)(
  "a text that quotes %s items is found, and none that does not",
  (split) => {
    const long = listed(20);
    const { prompt } = one(long, split);
    expect(quotingDocuments(long, [`Before, ${prompt.toUpperCase()}. Behind.`, "nothing of it"])).toBe(1);
    // Twelve words in a row are not thirteen.
    expect(quotingDocuments(long, [prompt.split(" ").slice(3, 15).join(" ")])).toBe(0);
    const short = listed(6);
    const item = one(short, split);
    expect(quotingDocuments(short, [`${item.prompt}? Answer: ${item.answer}!`])).toBe(1);
    expect(quotingDocuments(short, [`${item.prompt}?`, `${item.answer}`])).toBe(0);
  },
);

test("a text that has every ninth word of a prompt otherwise is a near copy, and one with every fifth is none", () => {
  const task = listed(40);
  const { prompt } = one(task, "decision");
  const changed = (every: number): string =>
    prompt
      .split(" ")
      .map((word, at) => (at % every === every - 1 ? `other${at}` : word))
      .join(" ");
  expect(quotingDocuments(task, [`Before. ${changed(9)} Behind.`])).toBe(1);
  expect(quotingDocuments(task, [changed(5)])).toBe(0);
  // As many words of it, but far apart.
  const apart = prompt.replaceAll(/(?:\S+ ){9}/gu, (part) => `${part}${"filler ".repeat(20)}`);
  expect(quotingDocuments(task, [apart])).toBe(0);
});

test("what is quoted of items to learn from is no fault, nor is what all items share", () => {
  for (const task of [listed(20), listed(6)]) {
    const { prompt, answer } = one(task, "train");
    expect(quotingDocuments(task, [`${prompt} ${answer}`, "all0 all1 all2"])).toBe(0);
  }
});
