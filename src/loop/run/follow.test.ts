import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Progress, RunEvent } from "../../foundation/contract/index.ts";
import { openLedger, openProgressFile } from "../../foundation/ledger/index.ts";
import { type Followed, followRun } from "./follow.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "follow-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (name: string) => ({ name, configHash: "c", description: null, seed: 0, origin: null });
const finished = (round: number): RunEvent => ({ type: "round-finished", round, seconds: 1 });
const typesOf = ({ events }: Followed): string[] => events.map(({ event }) => event.type);
const next = async (following: AsyncGenerator<Followed>): Promise<Followed> => {
  const { value, done } = await following.next();
  if (done) throw new Error("the following has ended");
  return value;
};

test("tells what is stored, then what comes, and ends with whoever runs", async () => {
  const ledger = openLedger({ folder });
  const run = ledger.startRun(record("one"));
  run.append("1", finished(1));
  const following = followRun({ folder, intervalMs: 5 });
  expect(await next(following)).toMatchObject({
    run: "1-one",
    running: true,
    events: [{ event: finished(1) }],
  });
  run.append("2", finished(2));
  run.append("3", finished(3));
  const seen = await next(following);
  expect(seen.events.map(({ event }) => event)).toEqual([finished(2), finished(3)]);
  run.append("4", { type: "run-interrupted", round: 3, reason: "asked to end" });
  ledger[Symbol.dispose]();
  const last: Followed[] = [];
  for await (const one of following) last.push(one);
  expect(last.flatMap(typesOf)).toEqual(["run-interrupted"]);
  expect(last.at(-1)?.running).toBe(false);
});

test("tells at once how far the stage is that it joins, and what is finished of it later", async () => {
  using ledger = openLedger({ folder });
  const run = ledger.startRun(record("one"));
  const finish = (step: string) => run.step(`round-1/${step}`, null, async () => ({ result: null }));
  run.append("1", { type: "stage-started", round: 1, stage: "optimize", label: "star" });
  await finish("select/other");
  await finish("optimize/pass-0/update/solver/500");
  const following = followRun({ folder, intervalMs: 5 });
  expect((await next(following)).parts).toEqual(["solver: 500 steps"]);
  await finish("optimize/pass-0/update/solver/1000");
  expect(await next(following)).toMatchObject({ events: [], parts: ["solver: 1000 steps"] });
  run.append("2", { type: "stage-finished", round: 1, stage: "optimize", seconds: 1, summary: "" });
  expect(await next(following)).toMatchObject({ events: [{}], parts: [] });
});

test("tells what the stage is at, and nothing that was heard of another stage or of a dead process", async () => {
  using ledger = openLedger({ folder });
  let time = 0;
  const monotonic = (): number => {
    time += 1000;
    return time;
  };
  using outside = openProgressFile({ folder, clock: { now: () => 0, monotonic } });
  const run = ledger.startRun(record("one"));
  const begin = (stage: "select" | "optimize"): number => {
    const stored = run.append(stage, { type: "stage-started", round: 1, stage, label: stage });
    return stored?.id ?? 0;
  };
  const at = (stage: "select" | "optimize", done: number): Progress => ({
    type: "progress",
    stage,
    label: "steps",
    done,
    total: 10,
  });
  const selecting = begin("select");
  outside.write({ after: selecting, progress: at("select", 9) });
  const following = followRun({ folder, intervalMs: 5 });
  expect(await next(following)).toMatchObject({ events: [{}], progress: at("select", 9) });
  run.append("end", { type: "stage-finished", round: 1, stage: "select", seconds: 1, summary: "" });
  expect(await next(following)).toMatchObject({ events: [{}], progress: null });
  // The same stage of the round before says nothing of this one.
  outside.write({ after: selecting, progress: at("optimize", 8) });
  const optimizing = begin("optimize");
  expect(await next(following)).toMatchObject({ events: [{}], progress: null });
  outside.write({ after: optimizing, progress: at("optimize", 1) });
  expect(await next(following)).toMatchObject({ events: [], progress: at("optimize", 1) });
});

test("goes over to the run that an edited configuration begins", async () => {
  const ledger = openLedger({ folder });
  ledger.startRun(record("one")).append("1", finished(1));
  const following = followRun({ folder, intervalMs: 5 });
  expect((await next(following)).run).toBe("1-one");
  ledger.startRun(record("two")).append("1", finished(7));
  expect(await next(following)).toMatchObject({ run: "2-two", events: [{ event: finished(7) }] });
  ledger[Symbol.dispose]();
  expect(await next(following)).toMatchObject({ run: "2-two", events: [], running: false });
  expect((await following.next()).done).toBe(true);
});

test("where nobody runs it ends after what is stored; in an empty folder at once", async () => {
  expect((await followRun({ folder }).next()).done).toBe(true);
  const ledger = openLedger({ folder });
  ledger.startRun(record("one")).append("1", finished(1));
  ledger[Symbol.dispose]();
  const following = followRun({ folder });
  expect(await next(following)).toMatchObject({ running: false, events: [{ event: finished(1) }] });
  expect((await following.next()).done).toBe(true);
});

test("waits for the first run of whoever holds the folder", async () => {
  const ledger = openLedger({ folder });
  const following = followRun({ folder, intervalMs: 5 });
  const first = next(following);
  ledger.startRun(record("one"));
  expect(await first).toMatchObject({ run: "1-one", events: [], running: true });
  ledger[Symbol.dispose]();
  expect((await next(following)).running).toBe(false);
});

test("a signal ends the watching while the run goes on", async () => {
  using ledger = openLedger({ folder });
  ledger.startRun(record("one"));
  const controller = new AbortController();
  const following = followRun({ folder, intervalMs: 60_000, signal: controller.signal });
  await next(following);
  const rest = following.next();
  controller.abort();
  expect((await rest).done).toBe(true);
});
