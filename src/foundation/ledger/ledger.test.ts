import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isWhetstoneError, tryLockFile } from "../base/index.ts";
import { ledgerFolder, openLedger, readLedger } from "./ledger.ts";
import { ledgerChild } from "./testing/child-process.ts";
import { roundFinished } from "./testing/events.ts";

const newRun = { name: "a run", configHash: "c", description: { a: [1] }, seed: 2 ** 48 - 1, origin: null };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ledger-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const refusal = (): unknown => {
  try {
    openLedger({ folder })[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("runs", () => {
  test("are numbered over all of the folder, and named after what they are called", () => {
    using ledger = openLedger({ folder, clock: { now: () => 17, monotonic: () => 0 } });
    const ids = ["reverse", "Größe & co!", "重", "x".repeat(60), `${"y".repeat(39)} z`].map(
      (name) => ledger.startRun({ ...newRun, name }).id,
    );
    expect(ids).toEqual(["1-reverse", "2-gr-e-co", "3-run", `4-${"x".repeat(40)}`, `5-${"y".repeat(39)}`]);
    expect(ledger.runs().map(({ id }) => id)).toEqual(ids);
    expect(ledger.runs()[0]).toEqual({ ...newRun, id: "1-reverse", name: "reverse", startedAt: 17 });
  });

  test("facts outlive them, and the newest counts", () => {
    {
      using ledger = openLedger({ folder });
      expect(ledger.getFact("champion/x")).toBeUndefined();
      ledger.setFact("champion/x", { round: 1 });
      ledger.setFact("champion/x", { round: 2, more: [null] });
      ledger.setFact("champion/y", null);
    }
    using ledger = openLedger({ folder });
    expect(ledger.getFact("champion/x")).toEqual({ round: 2, more: [null] });
    expect(ledger.getFact("champion/y")).toBeNull();
  });
});

describe("openings", () => {
  test("are numbered by whose items they use, once an owner, also after reopening", () => {
    {
      using ledger = openLedger({ folder });
      expect(ledger.openingNumber("reverse@1", "run-1/round-1")).toBe(1);
      expect(ledger.openingNumber("reverse@1", "run-1/round-2")).toBe(2);
      expect(ledger.openingNumber("copy@1", "run-2/round-1")).toBe(1);
    }
    using ledger = openLedger({ folder });
    expect(ledger.openingNumber("reverse@1", "run-1/round-2")).toBe(2);
    expect(ledger.openingNumber("reverse@1", "run-3/round-1")).toBe(3);
    using reader = readLedger({ folder });
    expect(reader?.openings("reverse@1")).toBe(3);
    expect(reader?.openings("parity@1")).toBe(0);
  });

  test("items that one uses are used for all others", () => {
    using ledger = openLedger({ folder });
    ledger.useItems("reverse@1", "first", ["12", "34"]);
    ledger.useItems("reverse@1", "first", ["12"]);
    ledger.useItems("reverse@1", "second", ["56", "34"]);
    expect(ledger.usedByOthers("reverse@1", "first")).toEqual(new Set(["56"]));
    expect(ledger.usedByOthers("reverse@1", "second")).toEqual(new Set(["12", "34"]));
    expect(ledger.usedByOthers("reverse@1", "third")).toEqual(new Set(["12", "34", "56"]));
    expect(ledger.usedByOthers("copy@1", "third")).toEqual(new Set());
  });
});

describe("one folder, one run at a time", () => {
  test("a second opening in this process says who holds it", () => {
    const first = openLedger({
      folder,
      clock: { now: () => Date.UTC(2026, 0, 2, 3, 4), monotonic: () => 0 },
    });
    const error = refusal();
    expect(error).toMatchObject({
      code: "folder-in-use",
      category: "user",
      details: { processId: process.pid },
    });
    expect((error as Error).message).toContain(
      `Process ${process.pid}, since 2026-01-02 03:04, runs in this folder`,
    );
    first[Symbol.dispose]();
    expect(refusal()).toBeUndefined();
  });

  test("so does one beside another process, until that is killed", async () => {
    await using holder = ledgerChild(
      folder,
      `const ledger = openLedger({ folder }); say("held"); setInterval(() => ledger, 1000);`,
    );
    await holder.printed("held");
    expect(refusal()).toMatchObject({ code: "folder-in-use", details: { processId: holder.process.pid } });
    {
      using reader = readLedger({ folder });
      expect(reader?.holder()?.processId).toBe(holder.process.pid);
    }
    await holder.kill();
    using reader = readLedger({ folder });
    expect(reader?.holder()).toBeUndefined();
    expect(refusal()).toBeUndefined();
  });

  test("a holder's note that nobody can read leaves the refusal", async () => {
    using _held = openLedger({ folder });
    await writeFile(join(ledgerFolder(folder), "owner.json"), "{");
    expect((refusal() as Error).message).toMatch(/^Another process runs in this folder/);
    using reader = readLedger({ folder });
    expect(reader?.holder()).toEqual({ processId: 0, startedAt: 0, bootId: "" });
  });

  test("an opening that fails gives the folder back", async () => {
    // The holder's note cannot be written where a folder lies in its place.
    await mkdir(join(ledgerFolder(folder), "owner.json"), { recursive: true });
    expect(refusal()).toBeInstanceOf(Error);
    await rm(join(ledgerFolder(folder), "owner.json"), { recursive: true });
    expect(refusal()).toBeUndefined();
  });
});

describe("readLedger", () => {
  test("finds nothing where nothing is yet", async () => {
    expect(readLedger({ folder })).toBeUndefined();
    // As while a writer has just made the file.
    await mkdir(ledgerFolder(folder));
    using _writer = tryLockFile(join(ledgerFolder(folder), "owner.lock"));
    await writeFile(join(ledgerFolder(folder), "ledger.sqlite"), "");
    expect(readLedger({ folder })).toBeUndefined();
  });

  test("reads beside a writer, takes no lock, and sees what is stored meanwhile", () => {
    using writer = openLedger({ folder });
    const run = writer.startRun(newRun);
    using reader = readLedger({ folder });
    expect(reader?.events(run.id)).toEqual([]);
    for (let round = 1; round <= 20; round++) {
      run.append(`${round}`, roundFinished(round));
      expect(reader?.events(run.id)).toHaveLength(round);
    }
    const all = reader?.events(run.id) ?? [];
    expect(reader?.events(run.id, all[16]?.id)).toEqual(all.slice(17));
    expect(reader?.runs()).toEqual(writer.runs());
    expect(reader?.events("none")).toEqual([]);
    expect(reader?.holder()?.processId).toBe(process.pid);
  });

  test("being read does not keep a folder from being opened", () => {
    openLedger({ folder })[Symbol.dispose]();
    using reader = readLedger({ folder });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(reader?.holder()).toBeUndefined();
      expect(refusal()).toBeUndefined();
    }
  });

  test("many that look at the holder at once do not keep a run from starting", async () => {
    openLedger({ folder })[Symbol.dispose]();
    await using looking = ledgerChild(
      folder,
      `const reader = readLedger({ folder }); say("looking"); for (;;) reader.holder();`,
    );
    await looking.printed("looking");
    const faults = Array.from({ length: 30 }, refusal).filter((fault) => fault !== undefined);
    expect(faults.map((fault) => (isWhetstoneError(fault) ? fault.code : fault))).toEqual([]);
  });
});

test("half-written artifacts of a writer that was killed are cleared away at the next opening", async () => {
  const artifacts = join(ledgerFolder(folder), "artifacts");
  await mkdir(artifacts, { recursive: true });
  await writeFile(join(artifacts, ".0123.writing"), "half");
  await writeFile(join(artifacts, "whole.jsonl"), "{}\n");
  openLedger({ folder })[Symbol.dispose]();
  expect(await readdir(artifacts)).toEqual(["whole.jsonl"]);
  expect(existsSync(join(ledgerFolder(folder), "ledger.sqlite"))).toBe(true);
});

test("half-written checkpoints are cleared away too, and whole ones are not", async () => {
  const checkpoints = join(ledgerFolder(folder), "checkpoints", "1-run");
  await mkdir(join(checkpoints, ".round-1.77-1.writing"), { recursive: true });
  await mkdir(join(checkpoints, "round-1"));
  openLedger({ folder })[Symbol.dispose]();
  expect(await readdir(checkpoints)).toEqual(["round-1"]);
});
