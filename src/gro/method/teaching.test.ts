import { expect, test } from "vitest";
import { samples } from "../generate/index.ts";
import { gro } from "../method.ts";
import { everything, verifier } from "../reward/index.ts";
import {
  policyGradient,
  preference,
  rewardWeighted,
  supervised,
  thoughtGradient,
  turnGradient,
  type UpdatePart,
  unlikelihood,
  unpairedPreference,
} from "../update/index.ts";
import { runMethod } from "./run-method.ts";
import { emptyTally, whyNothingTaught } from "./tally.ts";
import { teachingOf } from "./teaching.ts";
import { FakePolicies, fakeRound } from "./testing/fake-round.ts";

const usual = "has two different responses with different rewards";
const oneKind = "teaches where all responses are desirable, or none is";
const made = (update: UpdatePart, count = 2, reward = verifier()) =>
  gro({ generate: samples({ samples: count }), reward, update });

test.each([
  ["all are desirable", made(unpairedPreference(), 1, everything()), oneKind],
  ["none is", made(unpairedPreference(), 1), oneKind],
  ["nothing is worth anything", made(rewardWeighted()), "has a response with a reward above 0"],
  ["all rewards are equal", made(policyGradient()), usual],
  [
    "all are what was to be expected",
    made(policyGradient({ advantages: "none" })),
    "has a reward other than 0",
  ],
])("where %s, an update says in its own words why nothing was learnt", async (_, method, words) => {
  const { tally, blocked } = await runMethod(method, fakeRound({ policies: new FakePolicies(() => "0") }));
  expect(tally.groupsSkipped).toBeGreaterThan(0);
  expect(blocked).toBe(`nothing was learnt: none of ${tally.groupsSkipped} groups ${words}`);
});

test.each<readonly [UpdatePart, string]>([
  [supervised(), usual],
  [preference(), usual],
  [preference({ least: 0.5 }), `${usual}, the better of at least 0.5`],
  [preference({ pairs: "demonstration" }), "has a demonstration and another response than it"],
  [policyGradient({ advantages: "leave-one-out" }), usual],
  [policyGradient({ advantages: "batch" }), "has a reward other than the batch's mean"],
  [policyGradient({ byKind: true }), "has a reward other than that of all at its kind of item"],
  [policyGradient({ advantages: "learned" }), "has a reward other than what was expected of it"],
  [thoughtGradient(), "has a thought that helps more than the others"],
  [turnGradient(), "has a turn at which rewards differ"],
  [unlikelihood(), "has a response that is kept and one that is rejected"],
])("%#: %s", (update, words) => {
  expect(teachingOf(made(update))).toBe(words);
});

test("of several ways to learn, what any of them needs; who does not lead says nothing", () => {
  const [first] = made(rewardWeighted()).passes;
  const [second] = made(unpairedPreference()).passes;
  if (first === undefined || second === undefined) throw new Error("no pass");
  const other = { ...second, roles: ["proposer"] };
  const words = "has a response with a reward above 0";
  expect(teachingOf({ lead: "solver", passes: [first, other] })).toBe(words);
  expect(teachingOf({ lead: "solver", passes: [first, second, first] })).toBe(`${words} or ${oneKind}`);
  const updates = { solver: policyGradient() };
  expect(teachingOf({ lead: "solver", passes: [{ ...first, updates }] })).toBe(usual);
  expect(whyNothingTaught({ ...emptyTally, groupsSkipped: 3 })).toBe(
    `nothing was learnt: none of 3 groups ${usual}`,
  );
});
