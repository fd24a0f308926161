import { openSync, readdirSync, statSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/index.ts";
import { ledgerFault } from "./faults.ts";
import { ledgerFolder, openLedger, readLedger } from "./ledger.ts";
import { RunLedger } from "./run-ledger.ts";
import { openDatabase } from "./schema.ts";
import { ledgerChild } from "./testing/child-process.ts";
import { roundFinished } from "./testing/events.ts";

const newRun = { name: "run", configHash: "c", description: null, seed: 0, origin: null };

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faults-"));
  path = join(ledgerFolder(folder), "ledger.sqlite");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const storeEvents = async (count: number): Promise<string> => {
  using ledger = openLedger({ folder });
  const run = ledger.startRun(newRun);
  const rounds = Array.from({ length: count }, (_, index) => index + 1);
  const events = rounds.map((round) => ({ key: `${round}`, event: roundFinished(round) }));
  await run.step("all", null, async () => ({ result: null, events }));
  return run.id;
};
const open = (): void => openLedger({ folder })[Symbol.dispose]();
const readAll = (id: string): unknown => {
  using reader = readLedger({ folder });
  return reader?.events(id);
};
const openAll = (): void => {
  using ledger = openLedger({ folder });
  for (const record of ledger.runs()) ledger.openRun(record);
};
const change = (sql: string): void => {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
};

describe("a ledger that this version cannot read", () => {
  test("from a newer one is refused, by writer and reader", async () => {
    const id = await storeEvents(1);
    change("PRAGMA user_version = 99");
    for (const attempt of [open, () => readAll(id)])
      expect(attempt).toThrow(expect.objectContaining({ code: "ledger-newer", category: "user" }));
    change("PRAGMA user_version = 1");
    expect(readAll(id)).toHaveLength(1);
  });

  test("an empty one is no run that has not begun, unless nothing was lost with it", async () => {
    await mkdir(ledgerFolder(folder));
    await writeFile(path, "");
    expect(() => readLedger({ folder })).toThrow(
      expect.objectContaining({
        code: "ledger-empty",
        category: "environment",
        message: expect.stringMatching(
          /nothing is in it: it was damaged, .* move the folder \.whetstone away/,
        ),
      }),
    );
    // A death while it was made: the same command goes on.
    await storeEvents(1);
    await rm(path);
    await writeFile(path, "");
    await mkdir(join(ledgerFolder(folder), "checkpoints", "1-run"), { recursive: true });
    expect(open).toThrow(expect.objectContaining({ code: "ledger-empty" }));
    expect(statSync(path).size).toBe(0);
    // A folder whose ledger was moved away on purpose begins anew.
    await rm(path);
    expect(open).not.toThrow();
  });

  test("another program's database is left as it is", async () => {
    await mkdir(ledgerFolder(folder));
    for (const version of [0, 1, 99]) {
      change(`CREATE TABLE IF NOT EXISTS songs (title TEXT); PRAGMA user_version = ${version}`);
      for (const attempt of [open, () => readAll("1-run")])
        expect(attempt).toThrow(
          expect.objectContaining({
            code: "ledger-foreign",
            category: "user",
            message: expect.stringContaining("other tables (songs)"),
          }),
        );
    }
    const database = new DatabaseSync(path);
    expect(database.prepare("SELECT name FROM sqlite_master").all()).toEqual([{ name: "songs" }]);
    database.close();
  });

  test("with an event of a newer form too", async () => {
    const id = await storeEvents(2);
    change("UPDATE events SET version = 2 WHERE key = '2'");
    for (const attempt of [openAll, () => readAll(id)])
      expect(attempt).toThrow(expect.objectContaining({ code: "ledger-newer" }));
  });
});

describe("a damaged ledger", () => {
  test("that is no database is named, and the folder given back", async () => {
    await mkdir(ledgerFolder(folder));
    await writeFile(path, "x".repeat(4096));
    for (const attempt of [open, open, () => readAll("1-run")])
      expect(attempt).toThrow(
        expect.objectContaining({ code: "ledger-corrupt", category: "environment", details: { path } }),
      );
    await rm(path);
    expect(open).not.toThrow();
  });

  test("with pages overwritten is named", async () => {
    const id = await storeEvents(400);
    const size = statSync(path).size;
    expect(size).toBeGreaterThan(40_000);
    const file = openSync(path, "r+");
    const junk = new Uint8Array(4096).fill(0xa5);
    for (let at = 4096; at < size; at += 4096) writeSync(file, junk, 0, junk.length, at);
    for (const attempt of [openAll, () => readAll(id)])
      expect(attempt).toThrow(expect.objectContaining({ code: "ledger-corrupt" }));
  });

  test.each([
    ["no JSON", "{"],
    ["no event", '{"type":"round-finished"}'],
    ["of an unknown type", '{"type":"x"}'],
  ])("with an event that is %s is named", async (_, body) => {
    const id = await storeEvents(2);
    change(`UPDATE events SET body = '${body}' WHERE key = '2'`);
    for (const attempt of [openAll, () => readAll(id)])
      expect(attempt).toThrow(expect.objectContaining({ code: "ledger-corrupt", details: { path } }));
  });
});

describe("no space", () => {
  test("is named; what was stored before stays, and storing goes on once there is some", async () => {
    open();
    const database = openDatabase(path);
    const limit = (pages: number): void => database.exec(`PRAGMA max_page_count = ${pages}`);
    const started = { ...newRun, id: "1-run", startedAt: 0 };
    database.exec("INSERT INTO runs VALUES (1, '1-run', 'run', 'c', 'null', 0, 'null', 0)");
    limit(30);
    const run = new RunLedger({ database, path, clock: systemClock, record: started });
    const store = (round: number) =>
      run.step(`step-${round}`, null, async () => ({
        result: "x".repeat(1000),
        events: [{ key: `${round}`, event: roundFinished(round) }],
      }));
    let stored = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await store(stored + 1);
        stored += 1;
      }
    };
    await expect(fill()).rejects.toMatchObject({
      code: "no-space",
      category: "environment",
      details: { path },
    });
    expect(stored).toBeGreaterThan(5);
    expect(run.events()).toHaveLength(stored);
    expect(readAll("1-run")).toEqual(run.events());
    limit(1000);
    await store(stored + 1);
    expect(run.events().map(({ event }) => event)).toEqual(
      Array.from({ length: stored + 1 }, (_, index) => roundFinished(index + 1)),
    );
    database.close();
    expect(readAll("1-run")).toHaveLength(stored + 1);
  });

  test("for an artifact is named, and leaves nothing half-written", async () => {
    await using child = ledgerChild(
      folder,
      `const ledger = openLedger({ folder });
       say(await ledger.artifacts.put(["whole"]));
       await ledger.artifacts.put(["x".repeat(3 << 20)]).catch((error) => say("fault " + error.code));`,
      ["bash", "-c", 'ulimit -f 2048; exec "$@"', "limited"],
    );
    await child.printed("fault");
    const [whole = "", fault] = child.lines;
    expect(fault).toBe("fault no-space");
    expect(readdirSync(join(ledgerFolder(folder), "artifacts"))).toEqual([`${whole}.jsonl`]);
    await child.kill();
    using ledger = openLedger({ folder });
    expect(await ledger.artifacts.read(whole)).toEqual(["whole"]);
  });

  test("a file that may not grow fails a write, and all that was acknowledged is there", async () => {
    await using child = ledgerChild(
      folder,
      `const ledger = openLedger({ folder });
       const run = ledger.startRun(${JSON.stringify(newRun)});
       try {
         for (let round = 1; ; round++) {
           run.append(String(round), { type: "round-finished", round, seconds: 1 });
           say(String(round));
         }
       } catch (error) { say("fault " + error.code); }`,
      ["bash", "-c", 'ulimit -f 256; exec "$@"', "limited"],
    );
    await child.printed("fault");
    expect(child.lines.at(-1)).toBe("fault disk-fault");
    await child.kill();
    const acknowledged = child.lines.length - 1;
    expect(acknowledged).toBeGreaterThan(5);
    expect(readAll("1-run")).toHaveLength(acknowledged);
    using ledger = openLedger({ folder });
    const run = ledger.openRun(ledger.runs()[0] as RunLedger["record"]);
    expect(run.append("more", roundFinished(acknowledged + 1))).toBeDefined();
    expect(run.events()).toHaveLength(acknowledged + 1);
  });
});

test("a folder that is none is named", async () => {
  await writeFile(ledgerFolder(folder), "a file");
  expect(open).toThrow(
    expect.objectContaining({
      code: "in-the-way",
      message: expect.stringContaining(
        `${ledgerFolder(folder)} is a file where a folder is to be: move it away`,
      ),
    }),
  );
});

test.each([
  ["ENOSPC", undefined, "no-space"],
  ["EDQUOT", undefined, "no-space"],
  ["EROFS", undefined, "folder-unwritable"],
  ["EACCES", undefined, "folder-unwritable"],
  ["EIO", undefined, "disk-fault"],
  ["ERR_SQLITE_ERROR", 13, "no-space"],
  ["ERR_SQLITE_ERROR", 11, "ledger-corrupt"],
  ["ERR_SQLITE_ERROR", 11 + (1 << 8), "ledger-corrupt"],
  ["ERR_SQLITE_ERROR", 26, "ledger-corrupt"],
  ["ERR_SQLITE_ERROR", 8, "folder-unwritable"],
  ["ERR_SQLITE_ERROR", 10 + (3 << 8), "disk-fault"],
  ["ERR_SQLITE_ERROR", 5, "ledger-busy"],
])("the fault %s %s is %s", (code, errcode, name) => {
  const cause = Object.assign(new Error("below"), { code, ...(errcode === undefined ? {} : { errcode }) });
  expect(ledgerFault(cause, "/x")).toMatchObject({ code: name, category: "environment", cause });
});

test("what is no fault of disk or database stays what it is", () => {
  const other = new TypeError("mine");
  expect(ledgerFault(other, "/x")).toBe(other);
});
