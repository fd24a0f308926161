import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLedger } from "../../../foundation/ledger/index.ts";
import { ledgerCheck, sqliteCheck } from "./ledger.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-doctor-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a ledger is tried on the disk of the folder, and nothing is left behind", async () => {
  expect(await sqliteCheck(join(folder, "not", "yet"))).toMatchObject({ state: "ok" });
  expect(readdirSync(folder)).toEqual([]);
  // /proc refuses even root.
  expect(await sqliteCheck("/proc/self")).toMatchObject({ state: "fail" });
});

test("the ledger: none, one, one that is held, one that is no ledger", () => {
  expect(ledgerCheck(folder)).toMatchObject({ state: "ok", found: "no run here yet" });
  {
    using ledger = openLedger({ folder });
    ledger.startRun({ name: "one", configHash: "", description: {}, seed: 0, origin: null });
    expect(ledgerCheck(folder)).toMatchObject({
      state: "warn",
      found: expect.stringContaining(`1 run, 0 events. Running now: process ${process.pid}, since `),
    });
  }
  expect(ledgerCheck(folder)).toMatchObject({ state: "ok", found: "1 run, 0 events" });
  const broken = join(folder, "broken");
  mkdirSync(join(broken, ".whetstone"), { recursive: true });
  writeFileSync(
    join(broken, ".whetstone", "ledger.sqlite"),
    "this is no database, however long it may be".repeat(50),
  );
  expect(ledgerCheck(broken)).toMatchObject({ state: "fail", advice: expect.stringContaining("damaged") });
});
