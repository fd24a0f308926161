import type { Item, Response, Task, Verdict } from "../../../foundation/contract/index.ts";
import { runCanaries } from "../canaries.ts";
import { verdictOf } from "../verdict.ts";
import { broken, type CheckOfTask, demonstrationsOf, shown } from "./check.ts";

/** The verifier knows known-right from known-wrong answers. */
export const canariesPass: CheckOfTask = async (task) => {
  await runCanaries(task);
};

/** What the task shows a learner is right. */
export const demonstrationsRight: CheckOfTask = async (task) => {
  for (const { item, text } of demonstrationsOf(task, "right")) {
    const verdict = await scored(task, item, { text, complete: true });
    if (verdict.score < 1)
      throw broken(
        task,
        `its demonstration ${shown(text)} of ${shown(item.prompt)} is scored ${verdict.score}, not 1`,
      );
  }
};

/** An answer that the token limit ended is not a right one, however it begins. */
export const cutOffScoresNothing: CheckOfTask = async (task) => {
  for (const { item, text } of demonstrationsOf(task, "cut off", 20)) {
    const verdict = await scored(task, item, { text, complete: false });
    if (verdict.score > 0)
      throw broken(
        task,
        `the answer ${shown(text)}, cut off by the token limit, is scored ${verdict.score}, not 0`,
      );
  }
};

/** A tokenizer needs at most one token a byte, and one more ends the response. */
export const maxTokensSuffice: CheckOfTask = (task) => {
  for (const { item, text } of demonstrationsOf(task, "tokens")) {
    const most = task.maxTokens(item);
    const needed = Buffer.byteLength(text) + 1;
    if (!Number.isInteger(most) || most < needed)
      throw broken(
        task,
        `maxTokens is ${most} for ${shown(item.prompt)}, whose demonstration can take ${needed}`,
      );
  }
};

/** A tokenizer made of the task's characters can write everything. */
export const charactersCover: CheckOfTask = (task) => {
  const characters = new Set(task.characters);
  for (const { item, text } of demonstrationsOf(task, "characters")) {
    const asked = [item.prompt, ...(item.messages ?? []).map(({ content }) => content)];
    const missing = [...asked.join(""), ...text].find((character) => !characters.has(character));
    if (missing !== undefined)
      throw broken(
        task,
        `its characters, ${shown(task.characters)}, lack ${shown(missing)} of ${shown(item.prompt)} or ${shown(text)}`,
      );
  }
};

/** Whatever a model writes is scored, and always the same way: void is for faults of infrastructure alone. */
export const anyTextScored: CheckOfTask = async (task) => {
  for (const { item, text } of demonstrationsOf(task, "rubbish", 3)) {
    for (const rubbish of [
      ...rubbishTexts,
      item.prompt,
      item.prompt + text,
      text + text,
      `${text}\n`,
      ` ${text}`,
    ]) {
      const response = { text: rubbish, complete: true };
      const [first, second] = [await scored(task, item, response), await scored(task, item, response)];
      if (first.score !== second.score)
        throw broken(task, `its verifier scores ${shown(rubbish)} ${first.score} and then ${second.score}`);
    }
  }
};

/** What a model may write, as well as anything else. */
export const rubbishTexts: readonly string[] = [
  "",
  " ",
  "\n",
  "\u0000",
  "\ud800",
  "\u0301",
  "é",
  "𝄞",
  "0",
  "-1",
  "1e999",
  "NaN",
  "null",
  "undefined",
  "__proto__",
  "{",
  '"',
  "\\",
  "$&",
  "(a+)+$",
  "0".repeat(10_000),
  "a".repeat(10_000),
];

async function scored(
  task: Task,
  item: Item,
  response: Response,
): Promise<Extract<Verdict, { outcome: "scored" }>> {
  const verdict = await verdictOf(task, item, response);
  if (verdict.outcome === "scored") return verdict;
  throw broken(
    task,
    `its verifier gives ${shown(response.text)}, in answer to ${shown(item.prompt)}, no score: ${verdict.reason}`,
  );
}
