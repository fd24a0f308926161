import { describe, expect, test } from "vitest";
import type { Method } from "../../../gro/method.ts";
import { verifier } from "../../../gro/reward/index.ts";
import { itemOf } from "../../../gro/rollout/testing/fakes.ts";
import { policyGradient, preference, supervised } from "../../../gro/update/index.ts";
import { reverse } from "../../../world/task/index.ts";
import {
  dpo,
  iterativeRpo,
  kto,
  metaRewarding,
  rise,
  score,
  scpo,
  self,
  selfRewarding,
  spin,
  sppo,
} from "../index.ts";

const passOf = ({ passes: [pass] }: Method) => {
  if (pass === undefined) throw new Error("no pass");
  return pass;
};

describe("by default", () => {
  test.each<readonly [string, Method, object]>([
    [
      "dpo",
      dpo(),
      {
        generate: { samplesPerItem: 4 },
        reward: { name: "verifier" },
        update: { description: { loss: "dpo", beta: 0.1, reference: "start" } },
      },
    ],
    [
      "kto",
      kto(),
      {
        generate: { samplesPerItem: 4 },
        update: { description: { loss: "kto", beta: 0.1, desirableFrom: 1 } },
      },
    ],
    [
      "iterative rpo",
      iterativeRpo(),
      {
        generate: { samplesPerItem: 8 },
        update: { description: { loss: "dpo", likelihood: 1, pairs: "all", mostPairs: 10 } },
      },
    ],
    [
      "scpo",
      scpo(),
      {
        reward: { name: "vote share", origin: "self-derived" },
        update: { description: { weight: "difference", least: 0.5, likelihood: 1 } },
      },
    ],
    [
      "self-rewarding",
      selfRewarding(),
      {
        generate: { description: { topP: 0.9 } },
        reward: { name: "judge", description: { learn: false } },
        update: { description: { pairs: "best-worst" } },
      },
    ],
    [
      "meta-rewarding",
      metaRewarding(),
      {
        reward: { name: "judge", description: { learn: true } },
        update: { description: { lengthControl: 0.1 } },
      },
    ],
    [
      "self",
      self(),
      {
        generate: { description: { critique: true, learn: "answer" } },
        reward: { description: { by: "judge", turns: "last", keepFrom: 0.5 } },
        update: { name: "supervised" },
      },
    ],
    [
      "rise",
      rise(),
      {
        generate: { samplesPerItem: 2 + 2 * 4 },
        reward: { name: "by turn" },
        update: { description: { temperature: 0.4, mostPerPrompt: 1 } },
      },
    ],
    [
      "sppo",
      sppo(),
      {
        generate: { samplesPerItem: 5 },
        reward: { name: "win rate" },
        update: { description: { loss: "sppo", eta: 1000 } },
      },
    ],
    [
      "spin",
      spin(),
      {
        generate: { samplesPerItem: 1 },
        reward: { name: "ungraded" },
        update: { description: { pairs: "demonstration", epochs: 2 } },
      },
    ],
  ])("%s is what its paper has", (name, method, parts) => {
    expect(method).toMatchObject({ name, roles: ["solver"], lead: "solver", deliver: ["solver"] });
    expect(passOf(method)).toMatchObject({ ...parts, repeat: 1, start: "current" });
  });

  test("score pins the first turn while the second learns, and then rewards getting better", () => {
    const method = score();
    expect(method.passes).toMatchObject([
      {
        items: 32,
        repeat: 10,
        reward: { description: { bonus: 0 } },
        update: { description: { kl: "0.1, 0", taught: "last", reference: "base" } },
      },
      {
        items: 32,
        repeat: 10,
        reward: { description: { bonus: 10 } },
        update: { description: { kl: "0.01", taught: "all" } },
      },
    ]);
    expect(method.learnsBy).toBe("policy-gradient");
    expect(score({ stages: [1, 2] }).passes.map(({ repeat }) => repeat)).toEqual([1, 2]);
  });

  test("spin attempts what was demonstrated, each item once", () => {
    const demonstrated = [itemOf("12"), itemOf("34"), itemOf("12")];
    const items = passOf(spin()).itemsFrom?.([], reverse(), demonstrated);
    expect(items?.map(({ prompt }) => prompt)).toEqual(["12", "34"]);
  });
});

describe("hands its options on, and refuses what cannot be", () => {
  test("to its parts", () => {
    expect(passOf(dpo({ samples: 2, update: preference({ loss: { name: "simpo" } }) }))).toMatchObject({
      generate: { samplesPerItem: 2 },
      update: { description: { loss: "simpo", gamma: 1 } },
    });
    expect(passOf(self({ reward: verifier(), keepFrom: 1 })).reward).toMatchObject({
      origin: "external",
      description: { by: "verifier", keepFrom: 1 },
    });
    expect(passOf(rise({ turns: 3, samples: 1, revisions: 2 })).generate.samplesPerItem).toBe(1 + 2 + 4);
  });

  test.each<readonly [string, () => Method, RegExp]>([
    [
      "an update that imitates",
      () => dpo({ update: supervised() }),
      /dpo\(\): "update" must learn from preferences/,
    ],
    [
      "a gradient",
      () => kto({ update: policyGradient() }),
      /kto\(\): "update" must learn from preferences, .* not policy gradient/,
    ],
    [
      "preferences to imitate",
      () => self({ update: preference() }),
      /self\(\): "update" must imitate what is kept/,
    ],
    ["an unknown option", () => selfRewarding({ sample: 3 } as object), /did you mean "samples"/],
    ["one sample of an item", () => selfRewarding({ samples: 1 }), /"samples"/],
    [
      "pairs with single responses",
      () => kto({ samples: 1, update: preference() }),
      /needs at least 2 attempts/,
    ],
    ["no reward", () => sppo({ reward: "winRate" } as object), /such as verifier\(\)/],
    ["a stage too few", () => score({ stages: [1] } as object), /"stages/],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
