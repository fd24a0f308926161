import { expect, test } from "vitest";
import { samples } from "../generate/index.ts";
import { gro } from "../method.ts";
import { verifier } from "../reward/index.ts";
import { itemOf } from "../rollout/testing/fakes.ts";
import { policyGradient, supervised } from "../update/index.ts";
import { runMethod } from "./run-method.ts";
import { FakePolicies, fakeRound, takenInOrder } from "./testing/fake-round.ts";
import { reversed } from "./testing/methods.ts";

/** Always right at the first item, never at the second, at the others by the first sample alone. */
const speak = (prompt: string, sample: number): string => {
  if (prompt === "1=") return reversed(prompt);
  return prompt !== "2=" && sample === 0 ? reversed(prompt) : "0";
};
const parts = { generate: samples({ samples: 2 }), reward: verifier(), update: policyGradient(), items: 2 };
const inOrder = (...prompts: string[]) => takenInOrder(prompts.map((prompt) => itemOf(prompt)));
const items = inOrder("1=", "2=", "3=", "4=", "5=", "2=");

test("a batch of groups that teach is filled up with further items", async () => {
  const policies = new FakePolicies(speak);
  const { tally, losses } = await runMethod(
    gro({ ...parts, refill: 2, repeat: 1 }),
    fakeRound({ policies, items }),
  );
  // 1 and 2 teach nothing, 3 and 4 fill the batch, 5 is not asked.
  expect(tally).toMatchObject({ rollouts: 8, groupsTaught: 2, groupsSkipped: 2 });
  expect(policies.all[0]?.trained[0]?.data).toHaveLength(4);
  expect(losses).toHaveLength(1);
});

test("it learns from what there is when the draws are used up, and says so where that is nothing", async () => {
  const first = new FakePolicies(speak);
  const some = await runMethod(
    gro({ ...parts, refill: 1 }),
    fakeRound({ policies: first, items: inOrder("1=", "3=", "2=", "2=") }),
  );
  expect(some.tally).toMatchObject({ rollouts: 8, groupsTaught: 1, groupsSkipped: 3 });
  expect(some.blocked).toBeNull();
  const second = new FakePolicies(speak);
  const none = await runMethod(
    gro({ ...parts, refill: 3 }),
    fakeRound({ policies: second, items: inOrder("1=", "2=") }),
  );
  expect(none.tally).toMatchObject({ rollouts: 16, groupsTaught: 0, groupsSkipped: 8 });
  expect(none.blocked).toMatch(/nothing was learnt: none of 8 groups/);
});

test("each repetition goes on where the one before it may have ended", async () => {
  const policies = new FakePolicies(speak);
  await runMethod(gro({ ...parts, refill: 1, repeat: 2 }), fakeRound({ policies, items }));
  const asked = policies.all.flatMap(({ samplers }) =>
    samplers.flatMap(({ calls }) =>
      calls.flat().map(({ prompt }) => String.fromCodePoint(prompt.at(-2) ?? 0)),
    ),
  );
  expect(asked).toEqual(["1", "2", "3", "4", "5", "2", "1", "2"]);
});

test("refuses to refill where nothing is compared, or where there is no size to fill", () => {
  const { items: _, ...whole } = parts;
  expect(() => gro({ ...whole, refill: 1 })).toThrow(/it needs "items"/);
  expect(() => gro({ ...parts, update: supervised(), refill: 1 })).toThrow(
    /an update that compares attempts/,
  );
});
