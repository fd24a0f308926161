import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../foundation/contract/index.ts";
import { durable, leadCheckpoint, playStage, type StageProgress, streamOf, tell } from "./context.ts";
import { FakeContext, lineageOf } from "./testing/fake-context.ts";

const finished: RunEvent = { type: "round-finished", round: 1, seconds: 2 };
const eventsOf = (round: FakeContext): string[] => round.context.run.events().map(({ event }) => event.type);
const shown = (round: FakeContext): string[] =>
  round.seen.map((one) => ("event" in one ? one.event.type : `progress ${one.done}/${one.total}`));

test("what is told is stored once, and shown once", () => {
  using round = new FakeContext();
  tell(round.context, "key", finished);
  tell(round.context, "key", finished);
  expect(eventsOf(round)).toEqual(["round-finished"]);
  expect(shown(round)).toEqual(["round-finished"]);
});

describe("playStage", () => {
  const stageOf = (work: (progress: StageProgress) => Promise<number>) => ({
    round: 2,
    name: "audit" as const,
    label: "a label",
    input: { of: "x" },
    work: async (progress: StageProgress) => ({
      result: await work(progress),
      summary: "done",
      events: [finished],
    }),
  });

  test("tells when it begins and ends, with what it found between", async () => {
    let time = 0;
    const clock = { now: () => 0, monotonic: () => time };
    using round = new FakeContext({ clock });
    const result = await playStage(
      round.context,
      stageOf(async (progress) => {
        progress("half", 1, 2);
        time += 1500;
        return 7;
      }),
    );
    expect(result).toBe(7);
    expect(shown(round)).toEqual(["stage-started", "progress 1/2", "round-finished", "stage-finished"]);
    expect(round.context.run.events().at(-1)?.event).toEqual({
      type: "stage-finished",
      round: 2,
      stage: "audit",
      seconds: 1.5,
      summary: "done",
    });
  });

  test("one that was finished is not played again, told again or shown again", async () => {
    using round = new FakeContext();
    await playStage(
      round.context,
      stageOf(async () => 7),
    );
    const before = eventsOf(round);
    round.reopen();
    const again = await playStage(
      round.context,
      stageOf(async () => {
        throw new Error("played again");
      }),
    );
    expect(again).toBe(7);
    expect(eventsOf(round)).toEqual(before);
    expect(shown(round)).toHaveLength(3);
  });

  test("one that failed has begun, and nothing else", async () => {
    using round = new FakeContext();
    await expect(
      playStage(
        round.context,
        stageOf(async () => {
          throw new Error("no");
        }),
      ),
    ).rejects.toThrow("no");
    expect(eventsOf(round)).toEqual(["stage-started"]);
    round.reopen();
    await playStage(
      round.context,
      stageOf(async () => 8),
    );
    expect(eventsOf(round)).toEqual(["stage-started", "round-finished", "stage-finished"]);
  });

  test("parts of one name are stages of their own", async () => {
    using round = new FakeContext();
    const stage = stageOf(async () => 1);
    await playStage(round.context, { ...stage, part: "base" });
    await playStage(round.context, { ...stage, part: "previous-champion" });
    expect(eventsOf(round)).toHaveLength(6);
  });

  test("does not begin when the run was asked to end", async () => {
    using round = new FakeContext();
    round.stop = new Error("asked to end");
    await expect(
      playStage(
        round.context,
        stageOf(async () => 1),
      ),
    ).rejects.toThrow("asked to end");
    await expect(durable(round.context, "part", null, async () => 1)).rejects.toThrow("asked to end");
    expect(eventsOf(round)).toEqual([]);
  });
});

test("a durable part is done once", async () => {
  using round = new FakeContext();
  let done = 0;
  const part = () =>
    durable(round.context, "part", { a: 1 }, async () => {
      done += 1;
      return { done };
    });
  await part();
  round.reopen();
  expect(await part()).toEqual({ done: 1 });
});

test("streams depend on seed, round and purpose, the lead's checkpoint on the method", () => {
  using round = new FakeContext();
  const first = (number: number, purpose: string): number =>
    streamOf(round.context, number, purpose).uniform();
  expect(first(1, "a")).toBe(first(1, "a"));
  expect(new Set([first(1, "a"), first(2, "a"), first(1, "b")]).size).toBe(3);
  expect(leadCheckpoint(round.context, lineageOf("x"))).toBe("x");
});
