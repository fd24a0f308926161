import { describe, expect, test } from "vitest";
import { gro } from "../method.ts";
import { type FakeModel, itemOf, letters } from "../rollout/testing/fakes.ts";
import { policyGradient } from "../update/index.ts";
import { checkpointsOf, runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound, takenInOrder } from "./testing/fake-round.ts";
import { halfRight, inputsOf, partsOf, reinforce } from "./testing/methods.ts";

const promptsOf = ({ samplers }: FakeModel): string[] =>
  samplers.flatMap(({ calls }) => calls.flat().map(({ prompt }) => letters.decode(prompt)));

describe("a pass that is repeated", () => {
  const inOrder = (...prompts: string[]) => takenInOrder(prompts.map((prompt) => itemOf(prompt)));
  const six = inOrder("12=", "34=", "56=", "78=", "90=");

  test("samples every time from what it has just learnt, and takes the next items each time", async () => {
    const policies = new FakePolicies(halfRight);
    const told: number[] = [];
    const outcome = await runMethod(
      reinforce,
      fakeRound({ policies, items: six, onProgress: (_, done) => told.push(done) }),
    );
    const [model, ...others] = policies.all;
    expect(others).toEqual([]);
    expect(model?.samplers.map(({ weightVersion }) => weightVersion)).toEqual(
      Array.from({ length: 45 }, (_, step) => `current-solver@${step}`),
    );
    expect(promptsOf(model as FakeModel).slice(0, 8)).toEqual([
      "12=",
      "34=",
      "56=",
      "78=",
      "90=",
      "12=",
      "34=",
      "56=",
    ]);
    const seeds = model?.samplers.map(({ calls }) => calls[0]?.[0]?.seed);
    expect(new Set(seeds).size).toBe(45);
    const saved = [9, 18, 27, 36, 45].map((repetition) => `solver-pass-0-${repetition}`);
    expect(policies.saved.map(({ checkpoint }) => checkpoint)).toEqual(saved);
    expect(policies.discarded).toEqual(saved.slice(0, -1));
    expect(told).toEqual(Array.from({ length: 45 }, (_, step) => step + 1));
    expect(outcome).toMatchObject({
      checkpoints: { solver: "solver-pass-0-45", peer: "current-peer" },
      rollouts: [],
      tally: { rollouts: 45 * 8, judgedRight: 90 },
    });
    expect(reinforce.passes.map((pass) => checkpointsOf(pass, { newest: 0, base: 0 }))).toEqual([5]);
  });

  test("takes items in an order of chance, each once before any again", async () => {
    const many = Array.from({ length: 40 }, (_, index) => itemOf(`${index + 10}=`));
    const policies = new FakePolicies(halfRight);
    await runMethod(
      gro({ ...partsOf(reinforce), items: 8, repeat: 10 }),
      fakeRound({ policies, items: many }),
    );
    const asked = promptsOf(policies.all[0] as FakeModel);
    const [first, again] = [asked.slice(0, 40), asked.slice(40)];
    expect(first.toSorted()).toEqual(many.map(({ prompt }) => prompt).toSorted());
    expect(again).toEqual(first);
    // No batch is a stretch of the selection.
    expect(first.slice(0, 8).toSorted()).not.toEqual(many.slice(0, 8).map(({ prompt }) => prompt));
  });

  test("takes what there is where there are fewer items than it asks for, and none from none", async () => {
    const one = new FakePolicies(halfRight);
    await runMethod(
      gro({ ...partsOf(reinforce), items: 4, repeat: 2 }),
      fakeRound({ policies: one, items: inOrder("12=", "34=", "56=") }),
    );
    expect(promptsOf(one.all[0] as FakeModel)).toEqual(["12=", "34=", "56=", "34=", "56=", "12="]);
    const none = new FakePolicies(halfRight);
    const { tally } = await runMethod(reinforce, fakeRound({ policies: none, items: [] }));
    expect(tally).toMatchObject({ rollouts: 0, tokensTrained: 0, freshness: null });
    expect(none.all[0]?.steps).toEqual([]);
  });

  test("goes on from its last checkpoint, and ends alike", async () => {
    const whole = new FakePolicies(halfRight);
    const expected = await runMethod(reinforce, fakeRound({ policies: whole, items: six }));
    const ledger = new FakeLedger();
    const dying = new FakePolicies(halfRight, (model) => {
      const step = model.optimStep.bind(model);
      model.optimStep = (options) =>
        model.steps.length < 33 ? step(options) : Promise.reject(new Error("the engine died"));
    });
    await expect(runMethod(reinforce, fakeRound({ policies: dying, items: six, ledger }))).rejects.toThrow(
      "died",
    );
    const resumed = new FakePolicies(halfRight);
    expect(await runMethod(reinforce, fakeRound({ policies: resumed, items: six, ledger }))).toEqual(
      expected,
    );
    expect(resumed.opened).toEqual([
      { role: "solver", checkpoint: "solver-pass-0-27", optimizerState: "continued" },
      { role: "solver", checkpoint: "solver-pass-0-36", optimizerState: "continued" },
    ]);
    expect(promptsOf(resumed.all[0] as FakeModel)).toEqual(promptsOf(whole.all[0] as FakeModel).slice(54));
    expect(inputsOf(resumed.all[0] as FakeModel)).toEqual(
      inputsOf(whole.all[0] as FakeModel).slice(-inputsOf(resumed.all[0] as FakeModel).length),
    );
  });

  test("begins with a fresh optimiser where the update says so, and goes on with that one", async () => {
    const policies = new FakePolicies(halfRight);
    const update = policyGradient({ optimizerState: "fresh" });
    await runMethod(gro({ ...partsOf(reinforce), update }), fakeRound({ policies, items: six }));
    expect(policies.opened.map(({ optimizerState }) => optimizerState)).toEqual([
      "fresh",
      ...Array.from({ length: 4 }, () => "continued"),
    ]);
    expect(policies.all).toHaveLength(1);
  });

  test.each([
    ["base", "fresh"],
    ["current", "continued"],
  ] as const)(
    "leaves behind the moments of another objective: from %s its own are %s",
    async (start, state) => {
      const policies = new FakePolicies(halfRight);
      await runMethod(gro({ ...partsOf(reinforce), start }), fakeRound({ policies, items: six }));
      expect(policies.opened.map(({ optimizerState }) => optimizerState)).toEqual([
        state,
        ...Array.from({ length: 4 }, () => "continued"),
      ]);
    },
  );

  test("ends between two repetitions when it is asked to", async () => {
    const controller = new AbortController();
    const policies = new FakePolicies((prompt, sample) => {
      if (policies.prompts > 6) controller.abort(new Error("enough"));
      return halfRight(prompt, sample);
    });
    const ledger = new FakeLedger();
    const round = fakeRound({ policies, items: six, ledger, signal: controller.signal });
    await expect(runMethod(reinforce, round)).rejects.toThrow("enough");
    expect(ledger.done).toEqual([]);
  });
});
