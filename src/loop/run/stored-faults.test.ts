import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { openLedger, readLedger } from "../../foundation/ledger/index.ts";
import { run } from "../run.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { copyOf, overwriteSteps, stored } from "./testing/stored-run.ts";
import { artifactsIn } from "./upkeep/references.ts";
import { verifyFolder } from "./upkeep/verify.ts";

const root = mkdtempSync(join(tmpdir(), "stored-faults-"));
afterAll(() => rmSync(root, { recursive: true }));

const definition = (rounds: number) => promotingRun(rounds, { gate: { cap: 100 } });
let whole: string;
let before: number;
beforeAll(async () => {
  whole = mkdtempSync(join(root, "whole-"));
  before = (await run(definition(2), { folder: whole })).events.length;
}, 60_000);

const copy = (): string => copyOf(whole, root);
const halve = (path: string): void => truncateSync(path, Math.floor(statSync(path).size / 2));

test.each<[string, string, (folder: string) => void]>([
  [
    "artifacts that are cut off",
    "artifact-damaged",
    (folder) => {
      for (const name of readdirSync(stored(folder, "artifacts"))) halve(stored(folder, "artifacts", name));
    },
  ],
  [
    "checkpoints that are half written over",
    "checkpoint-damaged",
    (folder) => {
      const place = stored(folder, "checkpoints", "1-letters");
      for (const name of readdirSync(place)) halve(join(place, name, "table.safetensors"));
    },
  ],
  ["a page of the ledger that is overwritten", "ledger-corrupt", overwriteSteps],
])("%s are %s when the run goes on, and what was stored before stays readable", async (_, code, damage) => {
  const folder = copy();
  damage(folder);
  await expect(run(definition(3), { folder })).rejects.toMatchObject({ code });
  const { runs, findings } = await verifyFolder({ folder });
  expect(runs[0]?.events).toBeGreaterThanOrEqual(before);
  expect(new Set(findings.map((finding) => finding.code))).toEqual(new Set([code]));
});

describe("what was taken away is named before anything starts, with what to do", () => {
  const refused = async (folder: string) => {
    const seen: string[] = [];
    const watch = (event: object): void => void seen.push(JSON.stringify(event));
    const error: unknown = await run(definition(3), { folder, watch }).catch((thrown: unknown) => thrown);
    expect(seen).toEqual([]);
    return error;
  };
  const checkpointOf = (type: "model-prepared" | "training-finished"): string => {
    using ledger = readLedger({ folder: whole });
    const made = (ledger?.events("1-letters") ?? []).flatMap(({ event }) =>
      event.type === type ? [event.checkpoint] : [],
    );
    return made.at(-1) ?? "";
  };

  test.each(["model-prepared", "training-finished"] as const)("weights of %s", async (type) => {
    const folder = copy();
    const path = stored(folder, "checkpoints", checkpointOf(type));
    rmSync(path, { recursive: true });
    expect(await refused(folder)).toMatchObject({
      code: "no-weights",
      category: "user",
      message: expect.stringMatching(
        new RegExp(`1-letters cannot go on, since weights .*: ${path} \\(.*Put them back .*whetstone verify`),
      ),
    });
  });

  test("rows, and a folder in their place", async () => {
    const folder = copy();
    using ledger = readLedger({ folder });
    const selected = ledger
      ?.canonicalForm("1-letters")
      .steps.find(({ name }) => name === "round-1/select")?.result;
    const path = stored(folder, "artifacts", `${artifactsIn(selected)[0]}.jsonl`);
    rmSync(path);
    expect(await refused(folder)).toMatchObject({
      code: "artifact-missing",
      message: expect.stringContaining(`not there any more: ${path}. Put them back`),
    });
    mkdirSync(path);
    expect(await refused(folder)).toMatchObject({
      code: "in-the-way",
      message: expect.stringContaining(`${path} is a folder where a file is to be: move it away`),
    });
    expect((await verifyFolder({ folder })).findings).toMatchObject([
      { code: "artifact-damaged", message: expect.stringContaining(`${path} is no file: move it away`) },
    ]);
  });

  test("a file where a folder is to be", async () => {
    const folder = copy();
    writeFileSync(stored(folder, "reports"), "mine");
    using ledger = openLedger({ folder });
    await expect(ledger.keepReport("1-letters", "a page")).rejects.toMatchObject({ code: "in-the-way" });
    await expect(verifyFolder({ folder })).rejects.toMatchObject({
      code: "in-the-way",
      message: expect.stringContaining(`${stored(folder, "reports")} is a file where a folder is to be`),
    });
  });
});

test("a checkpoint that was never finished, or that no step names, makes way: the run comes to the same end", async () => {
  const folder = copy();
  const checkpoints = stored(folder, "checkpoints", "1-letters");
  const unfinished = join(checkpoints, ".round-3-solver-pass-0-6.77-1.writing");
  mkdirSync(unfinished);
  writeFileSync(join(unfinished, "table.safetensors"), "half");
  const unnamed = join(checkpoints, "round-3-solver-pass-0-6");
  cpSync(join(checkpoints, "round-2-solver-pass-0-6"), unnamed, { recursive: true });
  halve(join(unnamed, "table.safetensors"));
  const [gone, other] = [await run(definition(3), { folder }), await run(definition(3), { folder: copy() })];
  const lasting = (events: readonly StoredEvent[]) =>
    events.flatMap(({ event }) => (event.type === "decision-made" ? [event] : []));
  expect(lasting(gone.events)).toEqual(lasting(other.events));
  expect(existsSync(unfinished)).toBe(false);
  expect((await verifyFolder({ folder })).whole).toBe(true);
  using ledger = readLedger({ folder });
  expect(ledger?.events("1-letters").length).toBeGreaterThan(before);
});
