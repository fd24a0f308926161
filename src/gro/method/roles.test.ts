import { describe, expect, test } from "vitest";
import type { RolloutGroup } from "../../foundation/contract/index.ts";
import { greedy } from "../generate/index.ts";
import type { GeneratePart, GenerateRequest } from "../generate/part.ts";
import { gro, type Method, type Pass } from "../method.ts";
import { everything, type RewardPart, weighted } from "../reward/index.ts";
import { trialPositions } from "../reward/part.ts";
import { attempt } from "../rollout/index.ts";
import { itemOf } from "../rollout/testing/fakes.ts";
import { supervised } from "../update/index.ts";
import { runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound, takenInOrder } from "./testing/fake-round.ts";

const imitate = supervised({ steps: 2, batch: 2, replay: { newest: 1 } });
const [whole] = gro({ generate: greedy(), reward: everything(), update: imitate }).passes as [Pass];

const methodOf = (...passes: readonly Partial<Pass>[]): Method => {
  const roles = ["solver", "peer"];
  return {
    ...gro({ generate: greedy(), reward: everything(), update: imitate }),
    roles,
    passes: passes.map((pass) => ({ ...whole, roles, ...pass })),
  };
};
/** Greedy answers, and what the part was given to write them. */
const listening = (heard: GenerateRequest[]): GeneratePart => ({
  ...greedy(),
  generate: (request) => {
    heard.push(request);
    return greedy().generate(request);
  },
});

describe("a pass of several roles", () => {
  test("only writers attempt the items; who does not write learns from what they wrote, in a way of its own", async () => {
    const policies = new FakePolicies((prompt) => prompt.slice(0, 2));
    const longer = supervised({ steps: 3, batch: 2, replay: { newest: 1 } });
    const learnFromAll = { ...longer, update: longer.update };
    const outcome = await runMethod(
      methodOf({ writers: ["solver"], updates: { peer: learnFromAll } }),
      fakeRound({ policies }),
    );
    const asked = (role: string): number =>
      (policies.models.get(role) ?? []).flatMap(({ samplers }) => samplers.flatMap(({ calls }) => calls))
        .length;
    expect([asked("solver"), asked("peer")]).toEqual([1, 0]);
    expect(outcome.checkpoints).toEqual({ solver: "solver-pass-0-2", peer: "current-peer" });
    expect(policies.saved.map(({ role, checkpoint }) => [role, checkpoint])).toContainEqual([
      "peer",
      "peer-pass-0-3",
    ]);
  });

  test("a part may ask another role, and is answered by the lead where there is none", async () => {
    const heard: GenerateRequest[] = [];
    const versions: string[] = [];
    const reward: RewardPart = {
      ...everything(),
      reward: async (groups, context) => {
        for (const role of ["peer", "judge"]) {
          const { role: played, sampler } = context.models.policyOf(role);
          versions.push(`${played} by ${sampler.weightVersion}`);
        }
        return everything().reward(groups, context);
      },
    };
    await runMethod(
      methodOf({ generate: listening(heard), reward }),
      fakeRound({ policies: new FakePolicies(() => "x") }),
    );
    expect(versions).toEqual(["peer by current-peer@0", "judge by current-solver@0"]);
    expect(heard.map(({ policy }) => policy.role)).toEqual(["solver", "peer"]);
  });

  test("earlier weights are loaded for a part that asks, and given back when the pass ends", async () => {
    const policies = new FakePolicies(() => "x");
    const asking: GeneratePart = {
      ...greedy(),
      generate: async (request): Promise<RolloutGroup[]> => {
        await request.models.reference("solver", "base");
        await request.models.reference("solver", "start");
        await request.models.reference("solver", "champion");
        return greedy().generate(request);
      },
    };
    await runMethod(methodOf({ generate: asking, writers: ["solver"] }), fakeRound({ policies }));
    expect(policies.references.map(({ weightVersion }) => weightVersion)).toEqual([
      "base-solver",
      "current-solver",
      "champion-solver",
    ]);
    expect(policies.references.every(({ disposed }) => disposed)).toBe(true);
  });
});

describe("a pass after another", () => {
  test("sees what was rolled out before it, and may take its items from there", async () => {
    const heard: GenerateRequest[] = [];
    const two = methodOf(
      { writers: ["solver"] },
      {
        generate: listening(heard),
        writers: ["solver"],
        itemsFrom: (earlier) =>
          earlier.map(({ rollouts }) => itemOf(`${rollouts[0]?.rollout.response.text}=`)),
      },
    );
    const ledger = new FakeLedger();
    const speak = (prompt: string): string => `${prompt.slice(0, 2)}9`;
    await runMethod(two, fakeRound({ policies: new FakePolicies(speak), ledger }));
    expect((await heard[0]?.earlier())?.map(({ item }) => item.prompt)).toEqual(["12=", "34=", "56="]);
    expect(heard[0]?.items.map(({ prompt }) => prompt)).toEqual(["129=", "349=", "569="]);
    // An interrupted round reads from its record what the pass before it wrote.
    for (const step of [...ledger.steps.keys()]) if (step.startsWith("pass-1")) ledger.steps.delete(step);
    await runMethod(two, fakeRound({ policies: new FakePolicies(speak), ledger }));
    expect(heard[1]?.items.map(({ prompt }) => prompt)).toEqual(["129=", "349=", "569="]);
  });

  test("makes nothing that can be asked: nobody learns, and it is said why", async () => {
    const policies = new FakePolicies(() => "x");
    const two = methodOf(
      { roles: [], writers: ["solver"], asks: ["solver"] },
      { roles: ["solver"], itemsFrom: () => [], noItems: "what was proposed is no problem" },
    );
    const outcome = await runMethod(two, fakeRound({ policies }));
    expect(outcome.blocked).toBe("nothing was learnt: what was proposed is no problem");
    expect(outcome.checkpoints).toEqual({ solver: "current-solver", peer: "current-peer" });
    expect(policies.saved).toEqual([]);
  });

  test("makes nothing once: the turns after it go on, and what was learnt is learnt", async () => {
    const heard: GenerateRequest[] = [];
    const policies = new FakePolicies((prompt) => prompt.slice(0, 1));
    const making = { roles: [], writers: ["solver"], asks: ["solver"], items: 1 };
    // The item that one turn takes makes none.
    const turns = {
      ...methodOf(making, {
        roles: ["solver"],
        generate: listening(heard),
        itemsFrom: (earlier) => earlier.flatMap(({ item }) => (item.prompt === "34=" ? [] : [item])),
        noItems: "what was proposed is no problem",
      }),
      repeat: 3,
    };
    const items = takenInOrder(["12=", "34=", "56="].map((prompt) => itemOf(prompt)));
    const outcome = await runMethod(turns, fakeRound({ policies, items }));
    expect(heard.map((one) => one.items.map(({ prompt }) => prompt))).toEqual([["12="], ["56="]]);
    expect(outcome.checkpoints.solver).toMatch(/^solver-pass-5-/);
    expect(outcome).toMatchObject({
      blocked: null,
      empty: ["what was proposed is no problem"],
      tally: { passesEmpty: 1 },
    });
  });
});

test("what goes wrong in a pass in which nobody learns is told like any other fault", async () => {
  const failing: GeneratePart = { ...greedy(), generate: () => Promise.reject(new Error("no words")) };
  const policies = new FakePolicies(() => "x");
  const pass = { roles: [], writers: ["solver"], asks: ["solver"], generate: failing };
  await expect(runMethod(methodOf(pass), fakeRound({ policies }))).rejects.toThrow("no words");
});

describe("passes that follow each other more than once", () => {
  test("go on from each other; who is only asked neither writes nor learns", async () => {
    const policies = new FakePolicies((prompt) => prompt.slice(0, 1));
    const ledger = new FakeLedger();
    const twice = { ...methodOf({ roles: ["solver"], asks: ["peer"], items: 2 }), repeat: 2 };
    const items = takenInOrder(["12=", "34=", "56="].map((prompt) => itemOf(prompt)));
    const outcome = await runMethod(twice, fakeRound({ policies, ledger, items }));
    expect(outcome.checkpoints).toEqual({ solver: "solver-pass-1-2", peer: "current-peer" });
    expect(ledger.trainings.map(({ from, checkpoint }) => [from, checkpoint])).toEqual([
      ["current-solver", "solver-pass-0-2"],
      ["solver-pass-0-2", "solver-pass-1-2"],
    ]);
    const attempted = [...ledger.artifacts.values()].map((groups) => groups.map(({ item }) => item.prompt));
    expect(attempted).toEqual([
      ["12=", "34="],
      ["56=", "12="],
    ]);
    const [peer] = policies.models.get("peer") ?? [];
    expect([peer?.samplers.length, peer?.samplers[0]?.calls.length]).toEqual([2, 0]);
  });
});

describe("copies of weights", () => {
  const asking = { items: [itemOf("12=")], samples: 3, temperature: 1, maxTokens: () => 4, seed: 1 };
  const trying: RewardPart = {
    ...everything(),
    trainedPerRollout: 1,
    reward: async (groups, context) => {
      const told = await context.keep?.("trial", async (models) => {
        await using solver = await models.copy("solver");
        await using sampler = await solver.policy.model.snapshot();
        await attempt({ ...asking, policy: { ...solver.policy, sampler } });
        return sampler.weightVersion;
      });
      const scored = await everything().reward(groups, context);
      return scored.map((group) => ({
        ...group,
        rollouts: group.rollouts.map((one) => ({
          ...one,
          parts: { version: told?.length ?? 0, [trialPositions]: 5 },
        })),
      }));
    },
  };

  test("are of those that the round found, each is given back, and a trial is made once", async () => {
    const policies = new FakePolicies(() => "x");
    const ledger = new FakeLedger();
    const once = methodOf({ reward: trying, writers: ["solver"], start: "base" });
    const outcome = await runMethod(once, fakeRound({ policies, ledger }));
    expect(policies.copies.map(({ weights, disposed }) => [weights, disposed])).toEqual([
      ["current-solver@0", true],
    ]);
    expect([...ledger.steps.keys()]).toContain("pass-0/kept/trial");
    // What they took is counted apart: three answers with their ends; three items, a rollout each.
    const taken = {
      tokensSampled: 3 * 2,
      promptsRead: 3 * 4 + 4,
      trialTokensSampled: 3 * 2,
      trialPositionsTrained: 15,
    };
    expect(outcome.tally).toMatchObject(taken);
    ledger.steps.delete("pass-0/rollouts");
    const again = await runMethod(once, fakeRound({ policies, ledger }));
    expect(policies.copies).toHaveLength(1);
    expect(again.tally).toMatchObject(taken);
  });

  test("are none in a pass that repeats: it is refused, and would fail", async () => {
    const parts = { generate: greedy(), reward: trying, update: imitate };
    expect(() => gro({ ...parts, repeat: 2 })).toThrow(/trains copies of saved weights.*leave out "repeat"/);
    const summed = { ...parts, reward: weighted({ tried: { reward: trying } }) };
    expect(() => gro({ ...summed, repeat: 2 })).toThrow(/trains copies of saved weights/);
    const repeating = methodOf({ reward: { ...trying }, writers: ["solver"], repeat: 2 });
    const failing: RewardPart = {
      ...trying,
      reward: async (_, { models }) => (await models.copy("solver")) as never,
    };
    const [pass] = repeating.passes as [Pass];
    const method = { ...repeating, passes: [{ ...pass, reward: failing }] };
    await expect(runMethod(method, fakeRound({ policies: new FakePolicies(() => "x") }))).rejects.toThrow(
      /cannot be copied in a pass that repeats/,
    );
  });
});
