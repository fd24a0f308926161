import { describe, expect, test } from "vitest";
import type { Method, Pass } from "../../../../gro/method.ts";
import { quietStar, seal } from "../../index.ts";

const passOf = ({ passes: [pass] }: Method): Pass => {
  if (pass === undefined) throw new Error("no pass");
  return pass;
};

describe("seal", () => {
  test("writes edits, tries each on a copy, and imitates what helped", () => {
    const pass = passOf(seal({ items: 4, edits: 3, innerSteps: 6, questions: 5, attempts: 2 }));
    expect(pass).toMatchObject({
      items: 4,
      repeat: 1,
      generate: { name: "edits", samplesPerItem: 3 },
      reward: {
        name: "edit effect",
        origin: "external",
        answersPerRollout: 10,
        trainedPerRollout: 48,
        description: { keep: "best", learn: true, "update.steps": 6 },
        needs: { freshOptimizer: true },
      },
      update: { name: "supervised", learnsBy: "imitation" },
    });
  });

  test.each([
    [{ keep: "all" }, /"keep"/],
    [{ inner: 1 }, /no option "inner"/],
    [{ edits: 0 }, /"edits"/],
  ])("refuses %o", (options, message) => {
    expect(() => seal(options as object)).toThrow(message);
  });
});

describe("quietStar", () => {
  test("samples thoughts, rewards what they do for the true answer, and learns on-policy", () => {
    const method = quietStar({ items: 4, samples: 6, steps: 3, likelihood: 0.5 });
    expect(method.learnsBy).toBe("policy-gradient");
    expect(passOf(method)).toMatchObject({
      items: 4,
      repeat: 3,
      generate: { samplesPerItem: 6 },
      reward: { name: "continuation gain", origin: "external" },
      update: { name: "thought gradient", description: { likelihood: 0.5, learningRate: 3e-4 } },
    });
  });

  test.each([
    [{ samples: 1 }, /"samples"/],
    [{ likelyhood: 1 }, /did you mean "likelihood"/],
  ])("refuses %o", (options, message) => {
    expect(() => quietStar(options as object)).toThrow(message);
  });
});
