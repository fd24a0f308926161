import { describe, expect, test } from "vitest";
import { sha256 } from "../../foundation/base/index.ts";
import type { GuardFinding, RunEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { reverse } from "../../world/task/index.ts";
import { decideStage, decisionSeed } from "./decide.ts";
import { FakeContext, type FakeContextOptions, lineageOf } from "./testing/fake-context.ts";

const wrong = (): string => "0";
const stop: GuardFinding = { guard: "g", answer: "stop", evidence: "e", value: 1, threshold: 0 };
const observing = { mode: "observe", alpha: 0.05, smallestGain: 0.01, cap: 200 } as const;

const decideIn = (round: FakeContext, findings: readonly GuardFinding[] = [], number = 1) =>
  decideStage(round.context, number, lineageOf("new"), lineageOf("old"), findings);
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
    const task = reverse({ lengths: [1, 3], growTo: 4 });
    using round = fake({ definition: { gate: observing, task } });
    const decision = await decideIn(round);
    expect(decision).toMatchObject({ decision: "reject", acted: false, opening: null });
    expect(decision.reason).toMatch(
      /^the gate was not opened: reverse has no length .* 10,000 decision items/,
    );
    expect(openingsOf(round)).toBe(0);
  });
});
