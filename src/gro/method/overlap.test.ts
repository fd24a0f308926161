import { describe, expect, test } from "vitest";
import { reverse } from "../../world/task/index.ts";
import { samples } from "../generate/index.ts";
import { gro } from "../method.ts";
import { verifier } from "../reward/index.ts";
import { FakeSampler, itemOf } from "../rollout/testing/fakes.ts";
import { policyGradient, supervised } from "../update/index.ts";
import { runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound } from "./testing/fake-round.ts";
import { halfRight, partsOf, reinforce } from "./testing/methods.ts";

const items = ["12=", "34=", "56=", "78=", "90="].map((prompt) => itemOf(prompt));
const overlapped = gro({ ...partsOf(reinforce), overlap: true });

describe("a pass whose next batch is written while one is learnt from", () => {
  test("writes it with the weights of one batch before, but for the first after each checkpoint", async () => {
    const policies = new FakePolicies(halfRight);
    const { tally } = await runMethod(overlapped, fakeRound({ policies, items }));
    const lags = policies.all[0]?.samplers.map(
      ({ weightVersion }, repetition) => repetition - Number(weightVersion.split("@")[1]),
    );
    expect(lags).toEqual(Array.from({ length: 45 }, (_, repetition) => (repetition % 9 === 0 ? 0 : 1)));
    expect(tally).toMatchObject({ rollouts: 45 * 8, freshness: 0 });
  });

  test("asks for its sampler, and for what the trainer thinks of it, before any step of the batch before", async () => {
    const policies = new FakePolicies(halfRight);
    await runMethod(gro({ ...partsOf(reinforce), repeat: 2, overlap: true }), fakeRound({ policies, items }));
    expect(policies.all[0]?.log.filter((verb) => verb !== "save")).toEqual([
      "snapshot",
      "forward",
      "snapshot",
      "forward",
      "forwardBackward",
      "optimStep",
      "forwardBackward",
      "optimStep",
    ]);
  });

  test("does not wait for what is learnt", async () => {
    const learning = Promise.withResolvers<void>();
    const policies = new FakePolicies(halfRight, (model) => {
      model.wait = learning.promise;
    });
    const running = runMethod(
      gro({ ...partsOf(reinforce), repeat: 3, overlap: true }),
      fakeRound({ policies, items }),
    );
    await expect.poll(() => policies.all[0]?.samplers[1]?.calls.length).toBe(1);
    expect(policies.all[0]?.samplers).toHaveLength(2);
    learning.resolve();
    await running;
    expect(policies.all[0]?.samplers).toHaveLength(3);
  });

  test("notices a sampler that is stale though nothing it writes is compared", async () => {
    const policies = new FakePolicies(halfRight, (model) => {
      const take = model.snapshot.bind(model);
      model.snapshot = async () =>
        model.samplers.length === 0 ? take() : new FakeSampler(halfRight, model.weights, -3);
    });
    const once = gro({ ...partsOf(reinforce), repeat: 2, overlap: true });
    const { tally } = await runMethod(once, fakeRound({ policies, items }));
    expect(tally.freshness).toBeGreaterThan(0.5);
    expect(tally.mismatchMax).toBe(0);
  });

  test("ends as it would have after an interruption", async () => {
    const expected = await runMethod(overlapped, fakeRound({ policies: new FakePolicies(halfRight), items }));
    const ledger = new FakeLedger();
    const dying = new FakePolicies(halfRight, (model) => {
      const step = model.optimStep.bind(model);
      model.optimStep = (options) =>
        model.steps.length < 33 ? step(options) : Promise.reject(new Error("the engine died"));
    });
    const attempt = (policies: FakePolicies) => runMethod(overlapped, fakeRound({ policies, items, ledger }));
    await expect(attempt(dying)).rejects.toThrow("died");
    expect(await attempt(new FakePolicies(halfRight))).toEqual(expected);
  });

  test.each([
    ["imitation", { update: supervised(), repeat: 3 }],
    ["one repetition", { update: policyGradient(), repeat: 1 }],
    ["refilled batches", { update: policyGradient(), repeat: 3, items: 4, refill: 1 }],
  ])("is refused with %s", (_, options) => {
    expect(() =>
      gro({ generate: samples({ samples: 4 }), reward: verifier(), overlap: true, ...options }),
    ).toThrow(/"overlap" writes the next batch/);
  });
});

test("samplers hear how much will be sampled, and whether the model learns meanwhile", async () => {
  const asked: unknown[] = [];
  const policies = new FakePolicies(halfRight, (model) => {
    const take = model.snapshot.bind(model);
    model.snapshot = async (...options: unknown[]) => {
      asked.push(...options);
      return take();
    };
  });
  await runMethod(gro({ ...partsOf(reinforce), repeat: 2, overlap: true }), fakeRound({ policies, items }));
  const two = items.slice(0, 2).reduce((sum, item) => sum + reverse().maxTokens(item), 0);
  expect(asked).toEqual([
    { expected: { tokens: 4 * two, whileTraining: false } },
    { expected: { tokens: 4 * two, whileTraining: true } },
  ]);
});
