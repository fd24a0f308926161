import { describe, expect, test } from "vitest";
import type { Json } from "../../foundation/base/index.ts";
import { greedy, samples } from "../generate/index.ts";
import { gro, type Method, type Pass } from "../method.ts";
import { agreement, everything } from "../reward/index.ts";
import { type FakeModel, itemOf, letters } from "../rollout/testing/fakes.ts";
import { supervised } from "../update/index.ts";
import { checkpointsOf, runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound } from "./testing/fake-round.ts";
import { imitate, inputsOf, partsOf, reversed } from "./testing/methods.ts";

const _promptsOf = ({ samplers }: FakeModel): string[] =>
  samplers.flatMap(({ calls }) => calls.flat().map(({ prompt }) => letters.decode(prompt)));

describe("a pass that is made once", () => {
  test("generates, rewards, stores, and trains what was kept", async () => {
    const policies = new FakePolicies((prompt) => (prompt === "34=" ? "99" : reversed(prompt)));
    const ledger = new FakeLedger();
    const outcome = await runMethod(imitate, fakeRound({ policies, ledger }));
    expect(outcome.checkpoints).toEqual({ solver: "solver-pass-0-3", peer: "current-peer" });
    expect(outcome.rollouts).toEqual(["artifact-0"]);
    expect(
      ledger.artifacts.get("artifact-0")?.map(({ rollouts }) => rollouts.map(({ reward }) => reward)),
    ).toEqual([[1], [0], [1]]);
    const [model, ...others] = policies.all;
    expect(others).toEqual([]);
    expect(model?.log.slice(0, 2)).toEqual(["snapshot", "forward"]);
    expect(new Set(inputsOf(model as FakeModel).map((tokens) => tokens[1]))).toEqual(
      new Set(["1", "5"].map((digit) => digit.charCodeAt(0))),
    );
    expect(model?.samplers.every(({ disposed }) => disposed)).toBe(true);
    expect(outcome.tally).toMatchObject({
      rollouts: 3,
      judged: 3,
      judgedRight: 2,
      kept: 2,
      keptJudged: 2,
      keptRight: 2,
      tokensSampled: 9,
      tokensTrained: 3 * 4 * 3,
      realTokens: 0,
      mismatchMax: 0,
      freshness: 0,
    });
    expect(ledger.done).toEqual(["pass-0/rollouts", "pass-0/update/solver/3"]);
    expect(outcome.losses).toEqual(
      inputsOf(model as FakeModel).flatMap(([first], index) => (index % 4 === 0 ? [(first ?? 0) / 100] : [])),
    );
  });

  test("a step that was stored before losses were kept has none", async () => {
    const ledger = new FakeLedger();
    const first = await runMethod(imitate, fakeRound({ policies: new FakePolicies(reversed), ledger }));
    const { losses, ...old } = ledger.steps.get("pass-0/update/solver/3") as Record<string, Json>;
    expect(losses).toEqual(first.losses);
    ledger.steps.set("pass-0/update/solver/3", old);
    const again = await runMethod(imitate, fakeRound({ policies: new FakePolicies(reversed), ledger }));
    expect(again.losses).toEqual([]);
    expect(again.tally).toEqual(first.tally);
  });

  test("learns while its rollouts are being written, and counts no update before they are", async () => {
    const policies = new FakePolicies(reversed);
    const ledger = new FakeLedger();
    const written = Promise.withResolvers<void>();
    const round = fakeRound({ policies, ledger });
    const running = runMethod(imitate, {
      ...round,
      storeGroups: async (groups) => {
        await written.promise;
        return round.storeGroups(groups);
      },
    });
    await expect.poll(() => policies.saved.length).toBe(1);
    expect(policies.all[0]?.steps).toHaveLength(3);
    expect(ledger.done).toEqual([]);
    written.resolve();
    await running;
    expect(ledger.done).toEqual(["pass-0/rollouts", "pass-0/update/solver/3"]);
  });

  test("ends only when nothing is under way any more, with what failed first", async () => {
    const policies = new FakePolicies(reversed);
    const full = runMethod(imitate, {
      ...fakeRound({ policies }),
      storeGroups: () => Promise.reject(new Error("the disk is full")),
    });
    await expect(full).rejects.toThrow("the disk is full");
    expect(policies.all[0]?.steps).toHaveLength(3);
  });

  test.each([
    ["current", ["current-solver"]],
    ["base", ["current-solver", "base-solver"]],
  ] as const)(
    "trains from %s; what it learns from the round's own weights write",
    async (start, checkpoints) => {
      const policies = new FakePolicies(reversed);
      const ledger = new FakeLedger();
      await runMethod(gro({ ...partsOf(imitate), start }), fakeRound({ policies, ledger }));
      expect([...new Set(policies.opened.map((one) => one.checkpoint))]).toEqual(checkpoints);
      const [writer, ...others] = policies.all;
      const learner = others.at(-1) ?? writer;
      expect(writer?.samplers).toHaveLength(1);
      expect([writer?.weights.split("@")[0], learner?.weights]).toEqual([
        "current-solver",
        `${checkpoints.at(-1)}@3`,
      ]);
      expect(ledger.trainings[0]).toMatchObject({
        from: checkpoints.at(-1),
        writers: { solver: "current-solver" },
      });
    },
  );

  test("trains with a fresh optimiser where the update says so", async () => {
    const policies = new FakePolicies(reversed);
    const update = supervised({ steps: 2, optimizerState: "fresh" });
    await runMethod(gro({ ...partsOf(imitate), update }), fakeRound({ policies }));
    expect(new Set(policies.opened.map(({ optimizerState }) => optimizerState))).toEqual(new Set(["fresh"]));
  });

  test("saves at least every 250 steps, and keeps the last; the optimiser goes on between them", async () => {
    const policies = new FakePolicies(reversed);
    const update = supervised({ steps: 1100, batch: 1, optimizerState: "fresh" });
    const method = gro({ ...partsOf(imitate), update });
    const { checkpoints } = await runMethod(method, fakeRound({ policies }));
    const saved = [220, 440, 660, 880, 1100].map((step) => `solver-pass-0-${step}`);
    expect(policies.saved.map(({ checkpoint }) => checkpoint)).toEqual(saved);
    expect(policies.discarded).toEqual(saved.slice(0, -1));
    expect(checkpoints.solver).toBe("solver-pass-0-1100");
    expect(policies.opened.slice(-2)).toEqual([
      { role: "solver", checkpoint: "solver-pass-0-660", optimizerState: "continued" },
      { role: "solver", checkpoint: "solver-pass-0-880", optimizerState: "continued" },
    ]);
    expect(policies.all).toHaveLength(1);
    expect(policies.all[0]?.steps).toHaveLength(1100);
    expect(method.passes.map((pass) => checkpointsOf(pass, { newest: 0, base: 0 }))).toEqual([5]);
  });

  test("goes on where it was ended: nothing that was finished is done again, and it ends alike", async () => {
    const update = supervised({ steps: 1100, batch: 2 });
    const method = gro({ ...partsOf(imitate), update });
    const whole = new FakePolicies(reversed);
    const expected = await runMethod(method, fakeRound({ policies: whole }));

    const ledger = new FakeLedger();
    const dying = new FakePolicies(reversed, (model) => {
      const step = model.optimStep.bind(model);
      model.optimStep = (options) =>
        model.steps.length < 700 ? step(options) : Promise.reject(new Error("the engine died"));
    });
    await expect(runMethod(method, fakeRound({ policies: dying, ledger }))).rejects.toThrow(
      "the engine died",
    );
    expect(ledger.done).toEqual([
      "pass-0/rollouts",
      "pass-0/update/solver/220",
      "pass-0/update/solver/440",
      "pass-0/update/solver/660",
    ]);

    const resumed = new FakePolicies(reversed);
    expect(await runMethod(method, fakeRound({ policies: resumed, ledger }))).toEqual(expected);
    expect(resumed.prompts).toBe(0);
    expect(resumed.all[0]?.weights).toMatch(/^solver-pass-0-660@/);
    expect(inputsOf(resumed.all[0] as FakeModel)).toEqual(inputsOf(whole.all[0] as FakeModel).slice(2 * 660));
  });
});

describe("rollouts of many items", () => {
  const method = gro({ ...partsOf(imitate), generate: samples({ samples: 2 }) });
  const items = Array.from({ length: 600 }, (_, index) => itemOf(`${1000 + index}=`));
  const roll = (policies: FakePolicies, ledger: FakeLedger) =>
    runMethod(method, fakeRound({ policies, ledger, items }));
  const failingAt = (call: number): FakePolicies =>
    new FakePolicies(reversed, (model) => {
      const snapshot = model.snapshot.bind(model);
      model.snapshot = async () => {
        const sampler = await snapshot();
        const sample = sampler.sample.bind(sampler);
        let calls = 0;
        sampler.sample = (requests) => {
          calls += 1;
          return calls === call ? Promise.reject(new Error("the engine died")) : sample(requests);
        };
        return sampler;
      };
    });

  test("are durable in parts: an interruption costs those that were under way, and it ends alike", async () => {
    const whole = new FakeLedger();
    const expected = await roll(new FakePolicies(reversed), whole);
    const ledger = new FakeLedger();
    await expect(roll(failingAt(3), ledger)).rejects.toThrow("the engine died");
    expect(ledger.done).toEqual(["pass-0/rollouts/solver/200", "pass-0/rollouts/solver/400"]);
    const resumed = new FakePolicies(reversed);
    expect(await roll(resumed, ledger)).toEqual({ ...expected, rollouts: expect.anything() });
    expect(resumed.prompts).toBe(200);
    // Parts have served once the whole is stored.
    expect([...ledger.artifacts.values()]).toEqual([...whole.artifacts.values()]);
    expect(ledger.artifacts.size).toBe(1);
  });

  test("parts that a death left beside the whole are taken away when it goes on", async () => {
    const ledger = new FakeLedger();
    const round = fakeRound({ policies: new FakePolicies(reversed), ledger, items });
    const dying = { ...round, forgetGroups: () => Promise.reject(new Error("killed")) };
    await expect(runMethod(method, dying)).rejects.toThrow("killed");
    expect(ledger.artifacts.size).toBe(4);
    const again = new FakePolicies(reversed);
    await roll(again, ledger);
    expect([ledger.artifacts.size, again.prompts]).toEqual([1, 0]);
  });
});

describe("peers", () => {
  const method = gro({
    generate: greedy(),
    reward: agreement({ peers: 2 }),
    update: supervised({ steps: 6, batch: 3, replay: { newest: 1 } }),
  });

  test("answer the same items with the same numbers, and learn at once, each from its own weights", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const policies = new FakePolicies(reversed, (model) => {
      model.wait = promise;
    });
    const running = runMethod(method, fakeRound({ policies }));
    await new Promise((turn) => setImmediate(turn));
    const models = policies.all;
    expect(models.map(({ trained }) => trained.length)).toEqual([6, 6]);
    resolve();
    const { checkpoints, tally } = await running;
    expect(checkpoints).toEqual({ solver: "solver-pass-0-6", peer: "peer-pass-0-6" });
    expect(new Set(policies.opened.map(({ role, checkpoint }) => `${role} ${checkpoint}`))).toEqual(
      new Set(["solver current-solver", "peer current-peer"]),
    );
    const [solver, peer] = models.map(({ samplers }) => samplers[0]?.calls.flat());
    expect(solver).toEqual(peer);
    const [first, second] = models.map(inputsOf);
    expect(first).not.toEqual(second);
    expect(tally).toMatchObject({ rollouts: 6, judged: 3, kept: 3, tokensTrained: 2 * 6 * 3 * 3 });
  });
});

describe("several passes", () => {
  const passOf = (pass: Partial<Pass>): Pass => ({ ...(imitate.passes[0] as Pass), ...pass });
  const twice: Method = {
    ...imitate,
    roles: ["solver", "peer"],
    passes: [
      passOf({ roles: ["solver", "peer"], reward: everything() }),
      passOf({ roles: ["peer"] }),
      passOf({ roles: ["solver"], start: "base" }),
    ],
    deliver: ["solver", "peer"],
  };

  test("follow each other: a later one begins where an earlier one ended, unless it begins at the base", async () => {
    const policies = new FakePolicies(reversed);
    const ledger = new FakeLedger();
    const outcome = await runMethod(twice, fakeRound({ policies, ledger }));
    expect(outcome.checkpoints).toEqual({ solver: "solver-pass-2-3", peer: "peer-pass-1-3" });
    // What a later pass replaced has served.
    expect(policies.discarded).toEqual(["solver-pass-0-3", "peer-pass-0-3"]);
    expect(outcome.rollouts).toEqual(["artifact-0", "artifact-1", "artifact-2"]);
    const begun = policies.opened.filter(({ checkpoint }) => !checkpoint.startsWith("current"));
    expect(new Set(begun.map(({ role, checkpoint }) => `${role} ${checkpoint}`))).toEqual(
      new Set(["peer peer-pass-0-3", "solver solver-pass-0-3", "solver base-solver"]),
    );
    expect(ledger.done.at(-1)).toBe("pass-2/update/solver/3");
  });

  test("what a method does not deliver ends with the round", async () => {
    const outcome = await runMethod(
      { ...twice, deliver: ["solver"] },
      fakeRound({ policies: new FakePolicies(reversed) }),
    );
    expect(outcome.checkpoints).toEqual({ solver: "solver-pass-2-3", peer: "current-peer" });
  });
});
