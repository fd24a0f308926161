import { describe, expect, test } from "vitest";
import { forced, greedy, harnessAnswers, revisions, samples, withHints } from "./generate/index.ts";
import { type GroOptions, gro } from "./method.ts";
import { agreement, majority, verifier } from "./reward/index.ts";
import {
  onPolicyDistillation,
  policyGradient,
  preference,
  rewardWeighted,
  supervised,
  turnGradient,
} from "./update/index.ts";

const parts = { generate: greedy(), reward: verifier(), update: supervised() };

describe("gro", () => {
  test("is one role and one pass", () => {
    expect(gro(parts)).toEqual({
      name: "gro",
      description: {
        generate: { part: "greedy" },
        reward: { part: "verifier" },
        update: { part: "supervised", ...parts.update.description },
        repeat: 1,
        start: "current",
      },
      roles: ["solver"],
      passes: [{ roles: ["solver"], ...parts, repeat: 1, start: "current" }],
      lead: "solver",
      deliver: ["solver"],
      learnsBy: "imitation",
    });
  });

  test("a reward that needs peers gets them", () => {
    const method = gro({ ...parts, reward: agreement({ peers: 3 }) });
    expect(method.roles).toEqual(["solver", "peer", "peer-2"]);
    expect(method).toMatchObject({
      lead: "solver",
      deliver: method.roles,
      passes: [{ roles: method.roles }],
    });
  });

  test("what tells two methods apart is in the description", () => {
    const descriptions = [
      parts,
      { ...parts, items: 3 },
      { ...parts, repeat: 2 },
      { ...parts, start: "base" as const },
      { ...parts, reward: majority() },
      { ...parts, reward: majority({ share: 0.5 }) },
      { ...parts, generate: samples() },
      { ...parts, generate: samples({ topP: 0.5 }) },
      { ...parts, update: supervised({ replay: { base: 1 } }) },
      { ...parts, update: supervised({ optimizerState: "fresh" }) },
    ].map((options) => JSON.stringify(gro(options).description));
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  test.each([
    [{ items: 0 }, /"items"/],
    [{ repeat: 1.5 }, /"repeat"/],
    [{ start: "champion" }, /"start": expected one of "base"\|"current"/],
    [{ reward: undefined }, /"reward": expected a part that can reward, such as verifier\(\)/],
    [{ generate: verifier() }, /"generate": expected a part that can generate, such as greedy\(\)/],
    [{ update: { steps: 3 } }, /"update": expected a part that can update, such as supervised\(\)/],
    [{ udpate: supervised() }, /no option "udpate"; did you mean "update"/],
    [{ update: policyGradient() }, /needs at least 2 attempts an item; use generate: samples/],
  ])("refuses %o", (options, message) => {
    expect(() => gro({ ...parts, ...options } as unknown as GroOptions)).toThrow(message);
  });

  test("a policy gradient is fine where there are several attempts", () => {
    const method = gro({ ...parts, generate: samples({ samples: 2 }), update: policyGradient() });
    expect(method.learnsBy).toBe("policy-gradient");
  });

  describe("text that the policy did not write after the item alone", () => {
    const harness = {
      name: "vote",
      description: {},
      samplesPerItem: 8,
      answer: () => Promise.reject(new Error("nobody asks")),
    };
    const generates = [
      harnessAnswers({ harness }),
      revisions({ learn: "answer" }),
      withHints({ samples: 2 }),
      forced({ samples: 2 }),
    ];
    test.each(generates.map((generate) => [generate.name, generate] as const))(
      "of %s is imitated and followed by no policy gradient",
      (_, generate) => {
        for (const update of [policyGradient(), turnGradient(), onPolicyDistillation()])
          expect(() => gro({ ...parts, generate, update })).toThrow(
            /follows what the policy itself wrote after the item alone, .* imitate with update: supervised\(\)/,
          );
        for (const update of [supervised(), preference(), rewardWeighted()])
          expect(gro({ ...parts, generate, update }).passes).toHaveLength(1);
      },
    );

    test("a revision that is taught where it was said is the policy's own", () => {
      const method = gro({ ...parts, generate: revisions(), update: policyGradient() });
      expect(method.passes).toHaveLength(1);
    });
  });
});
