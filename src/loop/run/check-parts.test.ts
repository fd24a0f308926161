import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Task } from "../../foundation/contract/index.ts";
import { edits, withHints, withSearch } from "../../gro/generate/index.ts";
import { chatty, letters } from "../../gro/rollout/testing/fakes.ts";
import { absoluteZero, star } from "../../lifecycle/optimize/index.ts";
import { reverse } from "../../world/task/index.ts";
import { run } from "../run.ts";
import { checkParts } from "./check-parts.ts";
import { defineRun } from "./config.ts";
import { plan } from "./plan.ts";
import { lastLetter, promotingRun } from "./testing/last-letter.ts";

const folder = mkdtempSync(join(tmpdir(), "parts-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a part that a model cannot be asked by is refused when the model is there, before anything starts", async () => {
  const hinting = promotingRun(1, { optimize: star({ rationalise: true }) });
  const refusal = {
    code: "no-words",
    category: "user",
    message: expect.stringMatching(
      /^The method “star” cannot be run: withHints\(\): the task last letter says nothing of how to ask for this \(prompts\.hint\), and .* has no chat template/,
    ),
  };
  const seen: unknown[] = [];
  const watch = (event: object): void => void ("event" in event && seen.push(event));
  await expect(run(hinting, { folder, watch })).rejects.toMatchObject(refusal);
  expect(seen).toEqual([]);
  await expect(plan(hinting, { folder })).rejects.toMatchObject(refusal);
});

test("nothing is refused of a model that reads conversations, or of a task that has the words", () => {
  const hints = withHints();
  expect(() => hints.check?.(lastLetter)).not.toThrow();
  expect(() => hints.check?.(lastLetter, chatty)).not.toThrow();
  expect(() => hints.check?.(lastLetter, letters)).toThrow("prompts.hint");
  const worded = { ...lastLetter, prompts: { hint: () => ({ prompt: "a hint" }) } };
  expect(() => hints.check?.(worded, letters)).not.toThrow();
  expect(() => checkParts(promotingRun(1), letters)).not.toThrow();
});

test.each([
  ["withSearch", withSearch({ documents: ["a text"] }), "prompts.search"],
  ["edits", edits(), "prompts.edit"],
])("%s asks in words, too", (_, part, words) => {
  const readable: Task = { ...lastLetter, readEdit: () => [], readQuery: () => undefined };
  expect(() => part.check?.(readable)).not.toThrow();
  expect(() => part.check?.(readable, chatty)).not.toThrow();
  expect(() => part.check?.(readable, letters)).toThrow(words);
});

test("who wrote a method is told of the method, and of what to give instead", () => {
  expect(() => defineRun({ task: reverse(), optimize: absoluteZero() })).toThrow(
    expect.objectContaining({
      code: "no-proposals",
      message: expect.stringMatching(
        /^The method “Absolute Zero” cannot be run: propose\(\): the task reverse .* such as programs\(\) with a chat model\.$/,
      ),
      details: { method: "Absolute Zero" },
    }),
  );
});
