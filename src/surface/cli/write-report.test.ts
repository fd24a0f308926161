import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ledgerFolder, openLedger } from "../../foundation/ledger/index.ts";
import { promotingRun } from "../../loop/run/testing/last-letter.ts";
import { run, verifyFolder } from "../../loop/run.ts";
import { writeReport } from "./write-report.ts";

const folder = mkdtempSync(join(tmpdir(), "reports-"));
const reports = join(ledgerFolder(folder), "reports");
beforeAll(async () => {
  await run(promotingRun(1), { folder });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("a report is an artifact, and what people open is a copy of it", async () => {
  const before = (await verifyFolder({ folder })).artifacts;
  const { path } = await writeReport(folder);
  expect(path).toBe(join(ledgerFolder(folder), "report.html"));
  const [name = "", ...others] = readdirSync(reports);
  expect(others).toEqual([]);
  expect(readFileSync(join(reports, name), "utf8")).toBe(readFileSync(path, "utf8"));
  expect(await verifyFolder({ folder })).toMatchObject({ whole: true, artifacts: before + 1 });
});

test("beside a run, and elsewhere, it is a copy alone, and nothing is missed", async () => {
  const kept = readdirSync(reports);
  {
    using _ledger = openLedger({ folder });
    await writeReport(folder);
  }
  await writeReport(folder, { path: join(folder, "page.html") });
  expect(readdirSync(reports)).toEqual(kept);
  expect((await verifyFolder({ folder })).whole).toBe(true);
});
