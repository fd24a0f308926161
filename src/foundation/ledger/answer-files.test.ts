import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AnswerFiles } from "./answer-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "answers-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const approval = { question: "1-promotion-3", answer: "approve", why: "it sings", by: "anna" } as const;

test("an answer lies there until it is taken, whole, and nothing beside it", () => {
  const answers = new AnswerFiles(folder);
  expect(answers.find("1-promotion-3")).toBeUndefined();
  expect(answers.leave(approval)).toBe(true);
  expect(readdirSync(join(folder, "answers"))).toEqual(["1-promotion-3.json"]);
  expect(new AnswerFiles(folder).find("1-promotion-3")).toEqual(approval);
  expect(answers.left()).toEqual(["1-promotion-3"]);
  answers.remove("1-promotion-3");
  expect(answers.left()).toEqual([]);
  expect(answers.find("1-promotion-3")).toBeUndefined();
  answers.remove("1-promotion-3");
});

test("the first answer stays: a second is told that it came too late", () => {
  const answers = new AnswerFiles(folder);
  answers.leave(approval);
  expect(answers.leave({ ...approval, answer: "reject", why: "no" })).toBe(false);
  expect(answers.find("1-promotion-3")).toEqual(approval);
  expect(readdirSync(join(folder, "answers"))).toEqual(["1-promotion-3.json"]);
});

test.each(["", "{", '{"question":"1-promotion-3","answer":"perhaps","why":"","by":""}'])(
  "a file that holds no answer (%j) is named",
  (text) => {
    const answers = new AnswerFiles(folder);
    answers.leave(approval);
    writeFileSync(join(folder, "answers", "1-promotion-3.json"), text);
    expect(() => answers.find("1-promotion-3")).toThrow(
      expect.objectContaining({ code: "answer-damaged", message: expect.stringContaining("remove it") }),
    );
  },
);

test("an answer to another question is none", () => {
  const answers = new AnswerFiles(folder);
  answers.leave(approval);
  writeFileSync(join(folder, "answers", "1-promotion-4.json"), JSON.stringify(approval));
  expect(() => answers.find("1-promotion-4")).toThrow(/it answers 1-promotion-3/);
});
