import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { tiny } from "../../model/engine/index.ts";
import { reverse } from "../../world/task/index.ts";
import { definitionOf } from "../round/testing/fake-context.ts";
import { run } from "../run.ts";
import { checkListedItems, needsOf } from "./listed-items.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "listed-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Reverse, of a file's lines. */
function listing(prompts: readonly string[], messages?: Problem["messages"]): Task {
  const task = reverse({ lengths: [1, 8], growTo: 10, measureTo: 11 });
  const splits = { train: prompts.length, validation: 0, decision: 0, audit: 0 };
  return {
    ...task,
    strata: [{ name: "length 1", difficulty: 1, distinct: prompts.length, splits, weight: 1 }],
    *enumerate(difficulty) {
      for (const [index, prompt] of prompts.entries())
        yield { prompt, difficulty, source: `my.jsonl:${index + 1}`, ...(messages ? { messages } : {}) };
    },
  };
}

const small = tiny({ positions: "learned", maxPositions: 12 });
const details = { source: "my.jsonl:2", items: 3, faulty: 2, otherwiseFaulty: 0 };
const tooLong = { code: "prompt-too-long", details };
const definition = definitionOf({
  task: listing(["12=", "123456789123=", "123456789124="]),
  model: small,
  gate: { ...definitionOf().gate, mode: "observe" },
});

describe("the items of a file", () => {
  test("that are too long for the model end a run before its engine opens, and leave nothing behind", async () => {
    await expect(run(definition, { folder })).rejects.toMatchObject(tooLong);
    await expect(run(definition, { folder })).rejects.toMatchObject(tooLong);
    using ledger = readLedger({ folder });
    expect(ledger?.runs().flatMap(({ id }) => ledger.events(id))).toEqual([]);
  });

  test("are all counted for a model that is prepared", async () => {
    const { task } = definition;
    const prepared = await small.prepare(folder, needsOf(task, folder));
    expect(prepared.maxPositions).toBe(12);
    expect(() => checkListedItems(task, prepared)).toThrow(
      expect.objectContaining({ ...tooLong, details: expect.objectContaining(details) }),
    );
    const { maxPositions: _, ...endless } = prepared;
    expect(() => checkListedItems(task, endless)).not.toThrow();
    expect(() => checkListedItems(task, { ...prepared, maxPositions: 400 })).not.toThrow();
  });

  test("that are conversations ask for a model that reads them", () => {
    const conversation = [{ role: "user", content: "12=" }];
    expect(needsOf(listing(["12="], conversation), folder).conversations).toBe(true);
    expect(needsOf(listing(["12="]), folder).conversations).toBe(false);
    expect(needsOf(reverse(), folder)).toMatchObject({ conversations: false, projectFolder: folder });
  });
});
