import { describe, expect, test } from "vitest";
import { sha256 } from "../../foundation/base/index.ts";
import type { Gain, GuardFinding, RunEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { itemOf, reverse } from "../../world/task/index.ts";
import { checkProbes, planProbes } from "./decide/probe-parts.ts";
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

describe("decideStage with probes", () => {
  const whole = (observed: number) => [{ stratum: "length 1", items: 10, voids: 0, observed }];
  const probing = { mode: "decide", alpha: 0.05, cap: 600, reusedOpenings: 4, probeMargin: 0.05 } as const;
  const decideWith = (round: FakeContext, observed: number) =>
    decideStage(round.context, 1, lineageOf("new"), lineageOf("old"), {
      findings: [],
      gain: promising,
      whole: whole(observed),
    });

  test("a part that is measured whole and dropped keeps the gate shut: no item is used", async () => {
    using round = fake({ definition: { gate: { ...probing, probes: "enumerated" } } });
    const decision = await decideWith(round, -0.1);
    expect(decision).toMatchObject({ decision: "reject", opening: null, probes: [{ outcome: "dropped" }] });
    expect(decision.reason).toBe(
      "the gate was not opened: length 1 dropped: -10.0 points on all 10 items, margin 5.0 points",
    );
    expect(openingsOf(round)).toBe(0);
    using kept = fake({ definition: { gate: { ...probing, probes: "enumerated" } } });
    expect(await decideWith(kept, 0)).toMatchObject({ decision: "promote", probes: [{ outcome: "kept" }] });
  });

  test("a part that is named is asked items of its own, after the gate's", async () => {
    using round = fake({ definition: { gate: { ...probing, probes: ["length 9"] } } });
    const decision = await decideWith(round, 0);
    expect(decision).toMatchObject({
      decision: "promote",
      probes: [{ stratum: "length 9", exact: false, outcome: "kept", level: 0.05 }],
    });
    const nines = round.promptsOf("new").filter(({ length }) => length === 10);
    expect(new Set(nines).size).toBe(nines.length);
    const { ledger } = round.context;
    const own = ledger.usedByOthers("reverse@1/length 9", "1-reverse/round-1");
    expect(own.size).toBeGreaterThanOrEqual(decision.probes?.[0]?.pairs ?? Number.POSITIVE_INFINITY);
  });

  test("a gain with a loss in it is rejected, with the loss in the reason", async () => {
    const right = (prompt: string): string => [...prompt.slice(0, -1)].reverse().join("");
    using round = fake({
      definition: { gate: { ...probing, probes: ["length 9"] } },
      speak: {
        old: (prompt) => (prompt.length === 10 ? right(prompt) : "0"),
        new: (prompt) => (prompt.length === 10 ? "0" : right(prompt)),
      },
    });
    const decision = await decideWith(round, 0);
    expect(decision).toMatchObject({
      decision: "reject",
      opening: { outcome: "better" },
      probes: [{ outcome: "dropped", observed: -1 }],
    });
    expect(decision.reason).toMatch(/; but length 9 dropped: -100\.0 points on \d+ pairs/);
    expect(eventsOf(round)[2]).toMatchObject({ type: "candidate-rejected" });
  });

  test("probes are opened only for a gain, and once, however often it is interrupted", async () => {
    using same = fake({ definition: { gate: { ...probing, probes: ["length 9"] } }, speak: {} });
    expect((await decideWith(same, 0)).probes).toBeUndefined();
    using round = fake({ definition: { gate: { ...probing, probes: ["length 9"] } } });
    const first = await decideWith(round, 0);
    round.reopen();
    expect(await decideWith(round, 0)).toEqual(first);
    expect(round.samplers.size).toBe(0);
  });
});

describe("checkProbes", () => {
  const task = reverse({ lengths: [1, 8], growTo: 10, measureTo: 11 });
  const gate = { cap: 400, probeMargin: 0.02, probeDiscordance: 0.1 };

  test("names a probe that is too thin, unless it is dropped", () => {
    expect(() => checkProbes(task, { ...gate, probes: ["length 9"] })).toThrow(
      /^length 9 is too thin for a probe: 400 pairs do not show that it lost less than 2\.0 points\. Raise gate\.probeMargin/,
    );
    expect(() => checkProbes(task, { ...gate, probes: ["length 8", "length 9"] })).toThrow(
      /^length 8 is too thin for a probe \(and so is length 9\)/,
    );
    checkProbes(task, { ...gate, probes: ["length 9"], thinProbes: "drop" });
    const { probes, thin } = planProbes(task, { ...gate, probes: ["length 2", "length 9"] });
    expect(probes.map(({ stratum, exact }) => [stratum.name, exact])).toEqual([["length 2", true]]);
    expect(thin).toEqual([{ stratum: "length 9", pairs: 400, margin: 0.02 }]);
  });

  test("by default those are probes that are measured whole; none where none is asked for", () => {
    const names = (probes: "enumerated" | undefined): string[] =>
      planProbes(task, { cap: 4000, probes }).probes.map(({ stratum }) => stratum.name);
    expect(names("enumerated")).toEqual(["length 1", "length 2", "length 3"]);
    expect(names(undefined)).toEqual([]);
  });

  test("one that the task does not have is named, with the nearest", () => {
    expect(() => checkProbes(task, { ...gate, probes: ["lenght 9"] })).toThrow(
      'gate.probes: reverse has no part "lenght 9"; did you mean length 9?',
    );
  });

  test("few decision items are reused, and so are those of a folder that reused them before", () => {
    const wide = { cap: 4000, probeMargin: 0.1 };
    const reused = (probes: string[], reusedBefore = false): boolean | undefined =>
      planProbes(task, { ...wide, probes }, { reusedBefore }).probes[0]?.reused;
    expect(reused(["length 4"])).toBe(true);
    expect(reused(["length 9"])).toBe(false);
    expect(reused(["length 9"], true)).toBe(true);
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
