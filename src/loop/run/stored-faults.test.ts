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
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { run } from "../run.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { copyOf, overwriteSteps, stored } from "./testing/stored-run.ts";
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
