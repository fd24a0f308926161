import { describe, expect, test } from "vitest";
import type { Json } from "../../foundation/base/index.ts";
import { gro } from "../method.ts";
import { supervised } from "../update/index.ts";
import { runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound } from "./testing/fake-round.ts";
import { halfRight, imitate, partsOf, reinforce, reversed } from "./testing/methods.ts";

describe("what was learnt from", () => {
  test("is told with each stretch of a pass that is made once, and which weights wrote it", async () => {
    const ledger = new FakeLedger();
    const update = supervised({ steps: 50, batch: 4, replay: { newest: 1 } });
    const method = gro({ ...partsOf(imitate), update });
    const outcome = await runMethod(method, fakeRound({ policies: new FakePolicies(reversed), ledger }));
    expect(outcome.trained).toEqual(["record-1", "record-2"]);
    const common = { role: "solver", part: "pass-0", reward: "verifier", rollouts: "artifact-0" };
    const writers = { solver: "current-solver" };
    expect(ledger.trainings).toMatchObject([
      { ...common, writers, steps: [0, 25], checkpoint: "solver-pass-0-25", from: "current-solver" },
      { ...common, writers, steps: [25, 50], checkpoint: "solver-pass-0-50", from: "solver-pass-0-25" },
    ]);
    const times = ledger.trainings.map(({ learnt }) =>
      learnt.flatMap(({ uses }) => [...uses.values()]).reduce((sum, one) => sum + one, 0),
    );
    expect(times).toEqual([25 * 4, 25 * 4]);
  });

  test("is told of a pass that is repeated with the steps that were made before each repetition", async () => {
    const ledger = new FakeLedger();
    const policies = new FakePolicies(halfRight);
    const method = gro({ ...partsOf(reinforce), repeat: 8 });
    const outcome = await runMethod(method, fakeRound({ policies, ledger }));
    expect(outcome.trained).toEqual(["record-1", "record-2"]);
    expect(ledger.trainings).toMatchObject([
      { steps: [0, 4], checkpoint: "solver-pass-0-4", from: "current-solver", rollouts: null },
      { steps: [4, 8], checkpoint: "solver-pass-0-8", from: "solver-pass-0-4", rollouts: null },
    ]);
    expect(ledger.trainings[1]).toMatchObject({ writers: { solver: "solver-pass-0-4" } });
    const [first] = ledger.trainings;
    expect(first?.learnt.map(({ stepsAfter }) => stepsAfter)).toEqual(Array.from({ length: 4 }, (_, n) => n));
    expect([...(first?.learnt[0]?.uses.keys() ?? [])]).toHaveLength(8);
  });

  test("is of no record where none is kept, or was when the step was stored", async () => {
    const ledger = new FakeLedger();
    const round = fakeRound({ policies: new FakePolicies(reversed), ledger });
    expect((await runMethod(imitate, { ...round, storeTraining: async () => null })).trained).toEqual([]);
    const { trained: _, ...old } = ledger.steps.get("pass-0/update/solver/3") as Record<string, Json>;
    ledger.steps.set("pass-0/update/solver/3", old);
    expect((await runMethod(imitate, round)).trained).toEqual([]);
  });
});

describe("weights that nothing was trained into", () => {
  test.each([
    ["keeps nothing", { ...partsOf(imitate) }, () => "0"],
    ["has groups in which nothing differs", { ...partsOf(reinforce), repeat: 8 }, reversed],
  ])("are those that the round found, where a pass that begins at the base %s", async (_, parts, speak) => {
    const policies = new FakePolicies(speak);
    const outcome = await runMethod(gro({ ...parts, start: "base" }), fakeRound({ policies }));
    expect(outcome.tally.tokensTrained).toBe(0);
    expect(outcome.checkpoints).toMatchObject({ solver: "current-solver" });
    // What it saved on the way has served.
    const saved = new Set(policies.saved.map(({ checkpoint }) => checkpoint));
    expect(new Set(policies.discarded)).toEqual(saved);
  });

  test("are so where a guard lets nothing be learnt", async () => {
    const context = { ...fakeRound({ policies: new FakePolicies(reversed) }), whyBlocked: () => "stale" };
    const outcome = await runMethod(gro({ ...partsOf(imitate), start: "base" }), context);
    expect(outcome.checkpoints).toMatchObject({ solver: "current-solver" });
  });
});

describe("a guard that blocks a step", () => {
  const blocking = (most: number) => {
    let asked = 0;
    return () => (++asked > most ? "stale" : null);
  };

  test("keeps a pass from learning: the weights stay, and nothing is replayed later", async () => {
    const policies = new FakePolicies(reversed);
    const context = { ...fakeRound({ policies }), whyBlocked: () => "stale" };
    const outcome = await runMethod(imitate, context);
    expect(outcome).toMatchObject({
      checkpoints: { solver: "current-solver" },
      rollouts: [],
      blocked: "stale",
      tally: { rollouts: 3, tokensTrained: 0 },
    });
    expect(policies.all.flatMap(({ trained }) => trained)).toEqual([]);
  });

  test("ends repetitions where they stand, with what was learnt before", async () => {
    const policies = new FakePolicies(halfRight);
    const context = { ...fakeRound({ policies }), whyBlocked: blocking(2) };
    const outcome = await runMethod(reinforce, context);
    expect(outcome).toMatchObject({ blocked: "stale", tally: { rollouts: 3 * 2 * 4 } });
    expect(policies.all.flatMap(({ trained }) => trained)).toHaveLength(2);
  });
});
