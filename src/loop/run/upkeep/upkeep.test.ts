import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256OfFiles } from "../../../foundation/base/index.ts";
import { ledgerFolder, openLedger, readLedger } from "../../../foundation/ledger/index.ts";
import { supervised } from "../../../gro/update/index.ts";
import { demonstrations } from "../../../lifecycle/acquire/index.ts";
import { run } from "../../run.ts";
import { keepFiles } from "../task-files.ts";
import { promotingRun } from "../testing/last-letter.ts";
import { copyOf, overwriteSteps, stored } from "../testing/stored-run.ts";
import { collectGarbage } from "./collect.ts";
import { verifyFolder } from "./verify.ts";

const root = mkdtempSync(join(tmpdir(), "upkeep-"));
afterAll(() => rmSync(root, { recursive: true }));

// Its first round is rejected, and those after it are promoted.
const short = { gate: { cap: 100 }, afterReject: "champion" } as const;
const definition = (rounds: number) => promotingRun(rounds, short);
let whole: string;
beforeAll(async () => {
  whole = mkdtempSync(join(root, "whole-"));
  await run(definition(4), { folder: whole });
}, 60_000);

const copy = (): string => copyOf(whole, root);
const artifactsOf = (folder: string): string[] => readdirSync(stored(folder, "artifacts"));
const checkpointsOf = (folder: string): string[] =>
  readdirSync(stored(folder, "checkpoints", "1-letters")).sort();
const eventsIn = (folder: string): number | undefined => {
  using ledger = readLedger({ folder });
  return ledger?.events("1-letters").length;
};
const championOf = (folder: string): string => {
  using ledger = readLedger({ folder });
  const promoted = (ledger?.events("1-letters") ?? []).flatMap(({ event }) =>
    event.type === "candidate-promoted" || event.type === "model-prepared" ? [event.checkpoint] : [],
  );
  return promoted.at(-1) ?? "";
};

describe("verifyFolder", () => {
  test("finds nothing where everything is what was stored, and names two equal runs alike", async () => {
    const verification = await verifyFolder({ folder: whole });
    expect(verification).toMatchObject({ whole: true, findings: [], gone: [], checkpoints: 5 });
    expect(verification.artifacts).toBe(artifactsOf(whole).length);
    const other = mkdtempSync(join(root, "other-"));
    await run(definition(4), { folder: other });
    const again = await verifyFolder({ folder: other });
    expect(again.runs).toEqual(verification.runs);
    expect(again.runs).toEqual([
      { run: "1-letters", events: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  test.each([
    ["cut off", (path: string) => truncateSync(path, statSync(path).size - 7)],
    ["changed", (path: string) => appendFileSync(path, "{}\n")],
  ])("names an artifact that is %s", async (_, damage) => {
    const folder = copy();
    const [name = ""] = artifactsOf(folder);
    damage(stored(folder, "artifacts", name));
    const { whole: all, findings } = await verifyFolder({ folder });
    expect(all).toBe(false);
    expect(findings).toMatchObject([
      { of: "artifact", code: "artifact-damaged", name: name.replace(".jsonl", "") },
    ]);
  });

  test("names every artifact that is missing, records of what was learnt from among them", async () => {
    const folder = copy();
    const names = artifactsOf(folder);
    for (const name of names) rmSync(stored(folder, "artifacts", name));
    const { findings } = await verifyFolder({ folder });
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(["artifact-missing"]));
    expect(findings.map(({ name }) => `${name}.jsonl`).sort()).toEqual([...names].sort());
  });

  test("hashes the newest report again, and misses none that it has taken the place of", async () => {
    const folder = copy();
    const reports = () => readdirSync(stored(folder, "reports"));
    {
      using ledger = openLedger({ folder });
      await ledger.keepReport("1-letters", "<p>first</p>");
      await ledger.keepReport("1-letters", "<p>second</p>");
    }
    expect(reports()).toHaveLength(1);
    expect(await verifyFolder({ folder })).toMatchObject({
      whole: true,
      artifacts: artifactsOf(folder).length + 1,
    });
    expect(collectGarbage({ folder }).garbage.filter(({ of }) => of === "artifact")).toEqual([]);
    const [report = ""] = reports();
    appendFileSync(stored(folder, "reports", report), "!");
    expect((await verifyFolder({ folder })).findings).toMatchObject([{ code: "artifact-damaged" }]);
    rmSync(stored(folder, "reports", report));
    expect((await verifyFolder({ folder })).findings).toMatchObject([
      { code: "artifact-missing", name: report.replace(".html", "") },
    ]);
  });

  test("says which files of yours have changed since a run read them, which is no fault of what was stored", async () => {
    const folder = copy();
    const path = join(folder, "rows.jsonl");
    writeFileSync(path, "1\n");
    {
      using ledger = openLedger({ folder });
      keepFiles(ledger, "1-letters", folder, {
        ...definition(1).task,
        files: [{ path, sha256: await sha256OfFiles([path]) }],
      });
    }
    const state = async (where: string) => {
      const { whole: all, files } = await verifyFolder({ folder: where });
      return [all, files.map((file) => [file.run, file.path, file.state])];
    };
    expect(await state(folder)).toEqual([true, [["1-letters", path, "same"]]]);
    // Moved along with the folder.
    const moved = join(root, "moved");
    cpSync(folder, moved, { recursive: true });
    expect(await state(moved)).toEqual([true, [["1-letters", join(moved, "rows.jsonl"), "same"]]]);
    appendFileSync(path, "2\n");
    expect(await state(folder)).toEqual([true, [["1-letters", path, "changed"]]]);
    rmSync(path);
    expect(await state(folder)).toEqual([true, [["1-letters", path, "missing"]]]);
  });

  test("names a checkpoint that was half written over, and one that a run needs and that is not there", async () => {
    const folder = copy();
    const champion = championOf(folder);
    truncateSync(stored(folder, "checkpoints", champion, "table.safetensors"), 64);
    expect((await verifyFolder({ folder })).findings).toMatchObject([
      { of: "checkpoint", code: "checkpoint-damaged", name: champion },
    ]);
    rmSync(stored(folder, "checkpoints", "1-letters/round-0-solver-5"), { recursive: true });
    expect((await verifyFolder({ folder })).findings).toMatchObject([
      {
        code: "checkpoint-missing",
        name: "1-letters/round-0-solver-5",
        message: expect.stringContaining("(base)"),
      },
      { code: "checkpoint-damaged" },
    ]);
  });

  test("names a damaged page, and what was stored before it stays readable", async () => {
    const folder = copy();
    const events = eventsIn(folder);
    overwriteSteps(folder);
    const { whole: all, findings, runs } = await verifyFolder({ folder });
    expect(all).toBe(false);
    expect(new Set(findings.map(({ of, code }) => `${of} ${code}`))).toEqual(
      new Set(["ledger ledger-corrupt"]),
    );
    expect(runs).toEqual([{ run: "1-letters", events, hash: null }]);
  });

  test("refuses a folder where nobody has run", async () => {
    const folder = mkdtempSync(join(root, "empty-"));
    await expect(verifyFolder({ folder })).rejects.toMatchObject({ code: "no-run" });
    expect(() => collectGarbage({ folder })).toThrow(expect.objectContaining({ code: "no-run" }));
    expect(existsSync(ledgerFolder(folder))).toBe(false);
  });
});

describe("collectGarbage", () => {
  test("removes rejected candidates and orphans, says so first, and the run goes on to the same end", async () => {
    const folder = copy();
    writeFileSync(stored(folder, "artifacts", `${"0".repeat(64)}.jsonl`), "1\n");
    const promoted = new Set<string>();
    using before = readLedger({ folder });
    for (const { event } of before?.events("1-letters") ?? [])
      if (event.type === "candidate-promoted") promoted.add(event.checkpoint);
    const names = checkpointsOf(folder);
    const found = collectGarbage({ folder });
    expect(found.removed).toBe(false);
    expect(checkpointsOf(folder)).toEqual(names);
    const removable = names
      .slice(0, -1)
      .map((name) => `1-letters/${name}`)
      .filter((name) => !promoted.has(name) && !name.includes("round-0"));
    expect(removable.length).toBeGreaterThan(0);
    expect(found.garbage.map(({ of, name }) => `${of} ${name}`)).toEqual([
      ...removable.map((name) => `checkpoint ${name}`),
      `artifact ${"0".repeat(64)}`,
    ]);
    expect(found.bytes).toBeGreaterThan(2000 * removable.length);

    expect(collectGarbage({ folder, remove: true })).toEqual({ ...found, removed: true });
    expect(collectGarbage({ folder }).garbage).toEqual([]);
    expect(await verifyFolder({ folder })).toMatchObject({ whole: true, gone: [] });
    const [later, other] = await Promise.all(
      [folder, copy()].map((one) => run(definition(5), { folder: one })),
    );
    const decisions = (result: typeof later) =>
      result?.events.flatMap(({ event }) => (event.type === "decision-made" ? [event] : []));
    expect(decisions(later)).toEqual(decisions(other));
  });

  test("keeps what a training that was cut off goes on from", async () => {
    const folder = mkdtempSync(join(root, "cut-"));
    const controller = new AbortController();
    const long = promotingRun(1, {
      ...short,
      prepare: supervised({ on: demonstrations(), steps: 60, batch: 8, learningRate: 0.1 }),
    });
    await run(long, {
      folder,
      signal: controller.signal,
      watch: (event) => {
        if (!("event" in event) && event.label === "train" && event.done > 40) controller.abort();
      },
    });
    expect(checkpointsOf(folder)).toEqual(["round-0-solver-30"]);
    renameSync(
      stored(folder, "checkpoints", "1-letters", "round-0-solver-30"),
      stored(folder, "checkpoints", "1-letters", "round-9-solver-30"),
    );
    expect(collectGarbage({ folder }).garbage).toMatchObject([{ name: "1-letters/round-9-solver-30" }]);
    renameSync(
      stored(folder, "checkpoints", "1-letters", "round-9-solver-30"),
      stored(folder, "checkpoints", "1-letters", "round-0-solver-30"),
    );
    expect(collectGarbage({ folder, remove: true })).toMatchObject({ garbage: [], kept: 1 });
    expect((await run(long, { folder })).outcome).toBe("rounds-spent");
  });

  test("lists what strays among what runs stored, and leaves it alone", () => {
    const folder = copy();
    expect(collectGarbage({ folder }).strays).toEqual([]);
    writeFileSync(stored(folder, "artifacts", "notes.txt"), "12345");
    mkdirSync(stored(folder, "reports", `${"0".repeat(64)}.html`), { recursive: true });
    mkdirSync(stored(folder, "checkpoints", "9-other"));
    writeFileSync(stored(folder, "checkpoints", "9-other", "weights"), "123");
    writeFileSync(stored(folder, "checkpoints", "1-letters", "copy-of-round-1"), "12");
    const strays = [
      { path: ".whetstone/artifacts/notes.txt", bytes: 5 },
      { path: `.whetstone/reports/${"0".repeat(64)}.html`, bytes: 0 },
      { path: ".whetstone/checkpoints/9-other", bytes: 3 },
      { path: ".whetstone/checkpoints/1-letters/copy-of-round-1", bytes: 2 },
    ];
    expect(collectGarbage({ folder, remove: true }).strays).toEqual(strays);
    expect(collectGarbage({ folder }).strays).toEqual(strays);
  });

  test("not beside a run", () => {
    const folder = copy();
    using _ledger = openLedger({ folder });
    expect(() => collectGarbage({ folder })).toThrow(expect.objectContaining({ code: "folder-in-use" }));
  });
});
