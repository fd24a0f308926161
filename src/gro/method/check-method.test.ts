import { describe, expect, test } from "vitest";
import { samples, withHints } from "../generate/index.ts";
import { gro, type Method, type Pass } from "../method.ts";
import { everything } from "../reward/index.ts";
import { updateFrom } from "../update/index.ts";
import { checkMethod } from "./check-method.ts";
import { imitate, partsOf } from "./testing/methods.ts";

const [pass] = imitate.passes as readonly [Pass];

describe("a method that was written by hand", () => {
  test.each<[string, Partial<Method>, string]>([
    ["no passes", { passes: [] }, "has no passes"],
    ["no roles", { roles: [] }, "has no roles"],
    ["a role twice", { roles: ["solver", "solver"] }, "has the role solver twice"],
    [
      "a lead that is no role",
      { lead: "solvr" },
      'names the role "solvr" as its lead, .*did you mean solver',
    ],
    [
      "something delivered that is no role",
      { deliver: ["solver", "nobody"] },
      '"nobody" among those that it delivers',
    ],
    [
      "a lead that is not delivered",
      { roles: ["solver", "helper"], deliver: ["helper"] },
      "does not deliver solver",
    ],
    ["an unknown way to learn", { learnsBy: "magic" as never }, 'learns by "magic"'],
    [
      "a pass whose role it does not have",
      { passes: [{ ...pass, roles: ["helper"] }] },
      '"helper" in pass 1',
    ],
    [
      "a part that lacks something",
      { passes: [pass, { ...pass, update: { ...pass.update, steps: undefined as never } }] },
      'in pass 2 that is none: the part "supervised" lacks "steps", a function',
    ],
    ["a pass that asks such a role", { passes: [{ ...pass, asks: ["judge"] }] }, '"judge" in pass 1'],
    [
      "a pass with a role twice",
      { passes: [pass, { ...pass, roles: ["solver", "solver"] }] },
      "twice in pass 2",
    ],
  ])("is refused with %s", (_, change, said) => {
    const method = { ...imitate, roles: ["solver"], lead: "solver", deliver: ["solver"] };
    expect(() => checkMethod(method)).not.toThrow();
    expect(() => checkMethod({ ...method, ...change })).toThrow(new RegExp(`The method gro .*${said}`));
  });
});

test("more samples than can be asked for at once are refused", () => {
  const asking = (count: number) => gro({ ...partsOf(imitate), generate: samples({ samples: count }) });
  expect(() => checkMethod(asking(65_536))).not.toThrow();
  expect(() => checkMethod(asking(65_537))).toThrow(
    "asks for 65,537 samples of each item in pass 1: at most 65,536",
  );
});

test("a part of one's own that lacks what every part has is refused by name where it is given", () => {
  const make = (parts: object) => () => gro({ ...partsOf(imitate), ...parts });
  const reward = async () => [];
  expect(make({ reward: { name: "mine", reward, origin: "internal" } })).toThrow(
    'gro(): option "reward": the part "mine" lacks "description", an object; "origin", "external" or "self-derived"; "peers", a whole number from 1 up.',
  );
  expect(make({ update: { update: reward } })).toThrow(
    /the part "without a name" lacks "name", a text; "description", an object; "learnsBy", "imitation" or/,
  );
  expect(make({ generate: { generate: reward, name: "g", description: {}, samplesPerItem: -1 } })).toThrow(
    /"g" lacks "samplesPerItem", a whole number from 0 up/,
  );
  expect(make({ reward })).toThrow(/"reward": expected a part that can reward, such as verifier\(\)/);
});

test("an update of one's own is held to what it says that it learns by, and to the attempts that it compares", () => {
  const loss = () => ({ loss: 0, slopes: [] });
  const reward = everything();
  const hinted = (learnsBy: "imitation" | "policy-gradient") =>
    gro({
      generate: withHints({ samples: 4, hinted: 2 }),
      reward,
      update: updateFrom({ name: "own", loss, learnsBy }),
    });
  expect(() => hinted("policy-gradient")).toThrow(/own follows what the policy itself wrote/);
  expect(hinted("imitation").learnsBy).toBe("imitation");
  const update = updateFrom({ name: "own", loss, attemptsPerItem: 2 });
  expect(() => gro({ generate: samples({ samples: 1 }), reward, update })).toThrow(
    /own compares attempts at an item/,
  );
});
