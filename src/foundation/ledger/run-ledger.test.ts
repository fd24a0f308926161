import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../base/index.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { RunLedger } from "./run-ledger.ts";
import { malformed, roundFinished, roundStarted } from "./testing/events.ts";

const newRun = { name: "a run", configHash: "c", description: { a: 1 }, seed: 3, origin: null };

let folder: string;
let time: number;
const clock: Clock = { now: () => time, monotonic: () => 0 };
let ledger: Ledger;
let run: RunLedger;

const reopen = (): void => {
  ledger[Symbol.dispose]();
  ledger = openLedger({ folder, clock });
  run = ledger.openRun(ledger.runs().at(-1) as RunLedger["record"]);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-ledger-"));
  time = 1000;
  ledger = openLedger({ folder, clock });
  run = ledger.startRun(newRun);
});
afterEach(async () => {
  ledger[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

const bodies = (): unknown[] => run.events().map(({ event }) => event);

describe("events", () => {
  test("one is stored once a key, also after reopening", () => {
    const stored = run.append("first", roundStarted(1));
    expect(stored).toMatchObject({ run: run.id, at: 1000, event: roundStarted(1) });
    expect(run.append("first", roundStarted(1))).toBeUndefined();
    reopen();
    expect(run.append("first", roundStarted(1))).toBeUndefined();
    expect(run.events()).toEqual([stored]);
    expect(run.append("second", roundFinished(1))?.id).toBeGreaterThan(stored?.id ?? Number.NaN);
    expect(bodies()).toEqual([roundStarted(1), roundFinished(1)]);
  });

  test("keep the order in which they were stored though the clock jumps back", () => {
    run.append("1", roundStarted(1));
    time = 10;
    run.append("2", roundFinished(1));
    time = 500;
    run.append("3", roundStarted(2));
    reopen();
    expect(bodies()).toEqual([roundStarted(1), roundFinished(1), roundStarted(2)]);
    expect(run.events().map(({ at }) => at)).toEqual([1000, 10, 500]);
  });

  test("a malformed one is refused, and stores nothing", () => {
    expect(() => run.append("bad", malformed)).toThrow(/round-finished is malformed/);
    reopen();
    expect(run.events()).toEqual([]);
    expect(run.append("bad", roundFinished(1))).toBeDefined();
  });

  test("one that JSON would change is refused", () => {
    const description = { loss: Number.NaN };
    const event = { type: "training-finished", round: 1, checkpoint: "c", evidence: description } as const;
    expect(() => run.append("nan", event)).toThrow(
      /training-finished cannot be stored: JSON cannot hold NaN/,
    );
    expect(run.events()).toEqual([]);
  });

  test("what is shown is what a later reader gets", () => {
    const noisy = { ...roundFinished(1), extra: 1 };
    const shown = run.append("noisy", noisy);
    reopen();
    expect(run.events()).toEqual([shown]);
    expect(shown?.event).toEqual(roundFinished(1));
  });

  test("each run has its own keys", () => {
    run.append("key", roundFinished(1));
    const other = ledger.startRun({ ...newRun, name: "other" });
    expect(other.append("key", roundFinished(2))).toBeDefined();
    expect(bodies()).toEqual([roundFinished(1)]);
  });

  property.prop(
    [fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat({ max: 9 })), { maxLength: 8 })],
    {
      numRuns: 20,
    },
  )("the first event of each key stays, in order", (given) => {
    const own = ledger.startRun(newRun);
    const first = new Map<string, number>();
    for (const [key, round] of given) {
      own.append(key, roundFinished(round));
      if (!first.has(key)) first.set(key, round);
    }
    const expected = [...first.values()].map(roundFinished);
    expect(own.events().map(({ event }) => event)).toEqual(expected);
    expect(ledger.openRun(own.record).events()).toEqual(own.events());
  });
});

describe("steps", () => {
  test("one is done once, also after reopening", async () => {
    let done = 0;
    const work = async () => {
      done += 1;
      return { result: { answer: 42 }, events: [{ key: "told", event: roundFinished(1) }] };
    };
    const first = await run.step("step", { on: 1 }, work);
    expect(first.result).toEqual({ answer: 42 });
    expect(first.events.map(({ event }) => event)).toEqual([roundFinished(1)]);
    expect(await run.step("step", { on: 1 }, work)).toEqual({ result: { answer: 42 }, events: [] });
    reopen();
    expect(await run.step("step", { on: 1 }, work)).toEqual({ result: { answer: 42 }, events: [] });
    expect(done).toBe(1);
    expect(bodies()).toEqual([roundFinished(1)]);
  });

  test("its input may be written in another order, but may not be another", async () => {
    const work = async () => ({ result: 1 });
    await run.step("step", { a: 1, b: 2 }, work);
    expect((await run.step("step", { b: 2, a: 1 }, work)).result).toBe(1);
    await expect(run.step("step", { a: 1, b: 3 }, work)).rejects.toMatchObject({
      code: "step-changed",
      category: "environment",
      details: { step: "step" },
    });
  });

  test("work that fails stores nothing and is done again", async () => {
    const failing = run.step("step", null, async () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    reopen();
    expect(run.events()).toEqual([]);
    expect((await run.step("step", null, async () => ({ result: 2 }))).result).toBe(2);
  });

  test("result and events are stored together or not at all", async () => {
    const events = [
      { key: "good", event: roundStarted(1) },
      { key: "bad", event: malformed },
    ];
    await expect(run.step("step", null, async () => ({ result: 1, events }))).rejects.toThrow(/malformed/);
    // Neither in memory nor on the disk: the good event was not stored, and can be.
    expect(run.events()).toEqual([]);
    expect(run.append("good", roundStarted(1))).toBeDefined();
    reopen();
    expect(bodies()).toEqual([roundStarted(1)]);
    expect((await run.step("step", null, async () => ({ result: 2 }))).result).toBe(2);
  });

  test("a result that JSON would change stores nothing", async () => {
    const work = async () => ({
      result: { mean: Number.NaN },
      events: [{ key: "k", event: roundFinished(1) }],
    });
    await expect(run.step("step", null, work)).rejects.toThrow(/result of the step step cannot be stored/);
    reopen();
    expect(run.events()).toEqual([]);
  });

  test("an event that was stored before, or twice in one step, is not doubled", async () => {
    run.append("k", roundFinished(1));
    const events = [
      { key: "k", event: roundFinished(1) },
      { key: "l", event: roundFinished(2) },
      { key: "l", event: roundFinished(2) },
    ];
    const done = await run.step("step", null, async () => ({ result: null, events }));
    expect(done.events.map(({ event }) => event)).toEqual([roundFinished(2)]);
    expect(bodies()).toEqual([roundFinished(1), roundFinished(2)]);
  });

  test("steps of different names go on side by side, and inside each other", async () => {
    const turns: string[] = [];
    const inner = (name: string): Promise<number> =>
      run
        .step(name, null, async () => {
          turns.push(name);
          await Promise.resolve();
          return { result: turns.length, events: [{ key: name, event: roundFinished(turns.length) }] };
        })
        .then(({ result }) => result);
    const outer = await run.step("outer", null, async () => ({
      result: await Promise.all([inner("one"), inner("two"), inner("three")]),
    }));
    expect(turns).toEqual(["one", "two", "three"]);
    expect(outer.result).toHaveLength(3);
    expect(run.events()).toHaveLength(3);
    reopen();
    expect((await run.step("outer", null, async () => ({ result: [0] }))).result).toEqual(outer.result);
  });

  test("one name is never done twice at once", async () => {
    let finish = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = run.step("step", null, async () => {
      await waiting;
      return { result: 1 };
    });
    await expect(run.step("step", null, async () => ({ result: 2 }))).rejects.toThrow(/begun twice at once/);
    finish();
    expect((await first).result).toBe(1);
    expect((await run.step("step", null, async () => ({ result: 3 }))).result).toBe(1);
  });
});
