import { describe, expect, test } from "vitest";
import { sha256 } from "../../foundation/base/index.ts";
import type { Gain, GuardFinding, RunEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { itemOf, reverse } from "../../world/task/index.ts";
import { decideStage, decisionSeed } from "./decide.ts";
import { FakeContext, type FakeContextOptions, lineageOf } from "./testing/fake-context.ts";

const wrong = (): string => "0";
const stop: GuardFinding = { guard: "g", answer: "stop", evidence: "e", value: 1, threshold: 0 };
const observing = { mode: "observe", alpha: 0.05, cap: 200, reusedOpenings: 4 } as const;

/** What validation items say: as good as they come, or not worth an opening. */
const promising: Gain = { mean: 0.9, interval: { low: 0.85, high: 0.95 }, pairs: 100 };
const unpromising: Gain = { mean: 0.01, interval: { low: -0.01, high: 0.03 }, pairs: 100 };

const decideIn = (
  round: FakeContext,
  findings: readonly GuardFinding[] = [],
  number = 1,
  gain: Gain | null = promising,
) => decideStage(round.context, number, lineageOf("new"), lineageOf("old"), { findings, gain });
const eventsOf = (round: FakeContext): RunEvent[] => round.context.run.events().map(({ event }) => event);
const openingsOf = (round: FakeContext): number | undefined => {
  using reader = readLedger({ folder: round.folder });
  return reader?.openings("reverse@1");
};
const fake = (options: FakeContextOptions = {}) => new FakeContext({ speak: { old: wrong }, ...options });

describe("decideStage", () => {
  test("promotes a candidate that is better, in as many pairs as that takes", async () => {
    using round = fake();
    const decision = await decideIn(round);
    expect(decision).toMatchObject({
      decision: "promote",
      acted: true,
      opening: { outcome: "better", opening: 1 },
    });
    expect(decision.opening?.pairs).toBeLessThan(30);
    expect(eventsOf(round).map(({ type }) => type)).toEqual([
      "stage-started",
      "decision-made",
      "candidate-promoted",
      "stage-finished",
    ]);
    expect(eventsOf(round)[2]).toEqual({ type: "candidate-promoted", round: 1, checkpoint: "new" });
  });

  test("rejects one that is the same", async () => {
    using round = fake({ speak: {} });
    expect(await decideIn(round)).toMatchObject({
      decision: "reject",
      opening: { outcome: "not-shown", observed: 0 },
    });
    expect(eventsOf(round)[2]).toEqual({ type: "candidate-rejected", round: 1, checkpoint: "new" });
  });

  test("reveals the seed whose hash was told before", async () => {
    using round = fake();
    const seed = decisionSeed(round.context, 1);
    await decideIn(round);
    expect(eventsOf(round)[1]).toMatchObject({ type: "decision-made", seed });
    expect(sha256(seed)).not.toBe(sha256(decisionSeed(round.context, 2)));
  });

  test("a guard keeps the gate shut: no item is used, no opening spent", async () => {
    using round = fake();
    expect(await decideIn(round, [stop])).toMatchObject({
      decision: "reject",
      opening: null,
      reason: "guard “g”: e",
    });
    expect(openingsOf(round)).toBe(0);
    expect(round.samplers.size).toBe(0);
    await decideIn(round, [], 2);
    expect(openingsOf(round)).toBe(1);
  });

  test("what was decided stays decided, with one opening, after an interruption", async () => {
    using round = fake();
    const first = await decideIn(round);
    round.reopen();
    expect(await decideIn(round)).toEqual(first);
    expect(round.samplers.size).toBe(0);
    expect(openingsOf(round)).toBe(1);
  });

  test("an opening that was interrupted goes on as the same one", async () => {
    using round = fake({ speak: {} });
    const { samplers } = round.context;
    const get = samplers.get.bind(samplers);
    let calls = 0;
    samplers.get = async (role, checkpoint) => {
      calls += 1;
      if (calls === 3) throw new Error("the engine died");
      return get(role, checkpoint);
    };
    await expect(decideIn(round)).rejects.toThrow("the engine died");
    round.reopen();
    const resumed = await decideIn(round);
    using whole = fake({ speak: {} });
    expect(resumed).toEqual(await decideIn(whole));
    expect(openingsOf(round)).toBe(1);
  });

  test("observing, it opens whatever guards say, and acts on nothing", async () => {
    using round = fake({ definition: { gate: observing } });
    expect(await decideIn(round, [stop])).toMatchObject({
      decision: "reject",
      acted: false,
      opening: { outcome: "better" },
    });
    expect(await decideIn(round, [], 2)).toMatchObject({ decision: "promote", acted: false });
    const types = eventsOf(round).map(({ type }) => type);
    expect(types).not.toContain("candidate-promoted");
    expect(types).not.toContain("candidate-rejected");
  });

  test("observing a task that has too few items, it says so and goes on", async () => {
    const task = reverse({ lengths: [1, 3], growTo: 3 });
    using round = fake({ definition: { gate: observing, task } });
    const decision = await decideIn(round);
    expect(decision).toMatchObject({ decision: "reject", acted: false, opening: null });
    expect(decision.reason).toMatch(/^the gate was not opened: reverse has no length .* decision items/);
    expect(openingsOf(round)).toBe(0);
  });
});

describe("decideStage on reused decision items", () => {
  /** Length 4 has about 2,500 decision items: too few for fresh ones in every opening. */
  const task = reverse({ lengths: [1, 3], growTo: 4, measureTo: 4 });
  const gate = { mode: "decide", alpha: 0.05, cap: 300, reusedOpenings: 2 } as const;
  const small = (options: FakeContextOptions = {}) =>
    fake({ ...options, definition: { task, gate, budget: { rounds: 5 } } });

  test("nothing but the outcome leaves: no wealth, no mean, no stopping point", async () => {
    using round = small();
    const decision = await decideIn(round);
    expect(decision).toMatchObject({
      decision: "promote",
      opening: {
        outcome: "better",
        reused: true,
        wealth: null,
        futilityWealth: null,
        observed: null,
        pairs: 300,
        voids: 0,
      },
    });
    expect(decision.reason).not.toMatch(/evidence|points/);
    using same = small({ speak: {} });
    expect(await decideIn(same)).toMatchObject({
      decision: "reject",
      opening: { outcome: "not-shown", pairs: 300, observed: null },
    });
  });

  test("its cost is that of the longest answers, however long they were; and these items stay reused", async () => {
    using round = small();
    await decideIn(round);
    expect(round.charged).toEqual([
      2 * 300 * task.maxTokens(itemOf(task, { prompt: "1234=", difficulty: 4 })),
    ]);
    expect(round.context.ledger.getFact("reused/reverse@1")).toBe(true);
    using large = fake();
    large.context.ledger.setFact("reused/reverse@1", true);
    expect((await decideIn(large)).opening).toMatchObject({ reused: true });
  });

  test("a second opening answers the same kind of items again, at a dearer level, and then there are none", async () => {
    using round = small({ speak: {} });
    const first = await decideIn(round);
    const second = await decideIn(round, [], 2);
    expect(second.opening).toMatchObject({ opening: 2, pairs: 300 });
    expect((second.opening?.alpha ?? 1) / (first.opening?.alpha ?? 0)).toBeCloseTo(1 / 8, 10);
    const third = await decideIn(round, [], 3);
    expect(third).toMatchObject({ decision: "reject", opening: null });
    expect(third.reason).toMatch(/its 2 openings on these decision items are spent/);
    expect(openingsOf(round)).toBe(2);
  });

  test("a round closes unopened until its validation gain is promising; the last one opens for a gain worth having", async () => {
    using round = small();
    const early = await decideIn(round, [], 1, unpromising);
    expect(early).toMatchObject({ decision: "reject", opening: null });
    expect(early.reason).toMatch(
      /\+1\.0 points on validation items does not promise enough yet: opening 1 of 2/,
    );
    expect(openingsOf(round)).toBe(0);
    expect(round.samplers.size).toBe(0);
    using last = small();
    expect((await decideIn(last, [], 5, unpromising)).opening).toBeNull();
    const worth = { ...unpromising, mean: 0.04 };
    expect((await decideIn(round, [], 4, worth)).opening).toBeNull();
    expect((await decideIn(round, [], 5, worth)).opening).toMatchObject({ opening: 1 });
  });
});
