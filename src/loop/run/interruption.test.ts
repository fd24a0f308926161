import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLedger } from "../../foundation/ledger/index.ts";
import type { EngineDefinition } from "../../model/engine/index.ts";
import { reverse } from "../../world/task/index.ts";
import { run } from "../run.ts";
import { defineRun } from "./config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "interruption-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const runWith = (open: EngineDefinition["open"], signal?: AbortSignal) =>
  run(defineRun({ task: reverse(), engine: { name: "fake", description: {}, open } }), {
    folder,
    ...(signal ? { signal } : {}),
  });

test("a run that is asked to end while its engine is being set up ends as one that was interrupted", async () => {
  const controller = new AbortController();
  const result = await runWith(async ({ signal }) => {
    controller.abort();
    signal?.throwIfAborted();
    throw new Error("the set-up went on");
  }, controller.signal);
  expect(result).toMatchObject({ run: "1-reverse", outcome: "interrupted", champion: null, events: [] });
  expect(result.reason).toContain("Run the same command to go on");
});

test("another fault of the set-up is thrown, also when the run was asked to end", async () => {
  const controller = new AbortController();
  controller.abort();
  const fault = new Error("no such program");
  const open = async (): Promise<never> => {
    throw fault;
  };
  await expect(runWith(open)).rejects.toBe(fault);
  await expect(runWith(open, controller.signal)).rejects.toBe(fault);
  // The folder is given back, and it is still one run.
  using ledger = readLedger({ folder });
  expect(ledger?.holder()).toBeUndefined();
  expect(ledger?.runs().map(({ id }) => id)).toEqual(["1-reverse"]);
});
