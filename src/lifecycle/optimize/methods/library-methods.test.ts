import { describe, expect, test } from "vitest";
import { samples } from "../../../gro/generate/index.ts";
import type { Method, Pass } from "../../../gro/method.ts";
import { majority, verifier } from "../../../gro/reward/index.ts";
import { policyGradient } from "../../../gro/update/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { reGenesis, rlc, simRag, sirius, vStar } from "../index.ts";

const passOf = ({ passes }: Method, index = 0): Pass => {
  const pass = passes[index];
  if (pass === undefined) throw new Error("no pass");
  return pass;
};

describe("rlc", () => {
  test("follows by PPO what the base finds right; the evaluator may learn too", () => {
    expect(rlc()).toMatchObject({ roles: ["solver", "critic"], learnsBy: "policy-gradient" });
    expect(passOf(rlc()).reward).toMatchObject({
      name: "judge",
      origin: "self-derived",
      description: { frozen: "base", baseline: "critic" },
      references: ["base"],
    });
    expect(passOf(rlc()).update.description).toMatchObject({ loss: "ppo", advantages: "learned" });
    expect(passOf(rlc({ evaluator: "current" })).reward.references).toBeUndefined();
    for (const evaluator of ["start", "champion"] as const)
      expect(rlc({ evaluator }).description).toMatchObject({ evaluator });
  });
});

describe("vStar", () => {
  test("teaches a generator what is right and a verifier right against wrong, of all rounds, from the base", () => {
    const method = vStar({ samples: 4, most: 100 });
    expect(method).toMatchObject({
      roles: ["solver", "verifier"],
      alike: true,
      lead: "solver",
      deliver: ["solver", "verifier"],
    });
    const { writers, updates, update, buffer, start } = passOf(method);
    expect({ writers, start, buffer }).toEqual({
      writers: ["solver"],
      start: "base",
      buffer: { name: "solutions", most: 100 },
    });
    expect(update).toMatchObject({ learnsBy: "imitation", description: { newest: 1 } });
    expect(updates?.verifier).toMatchObject({
      learnsBy: "preference",
      references: ["base"],
      description: { loss: "dpo", beta: 0.1, likelihood: 1, of: "solver", pairs: "all", mostPairs: 4 },
    });
    expect(() => vStar({ samples: 1 })).toThrow(/"samples"/);
  });
});

describe("reGenesis", () => {
  test("imitates different right paths, which begin with guidelines", () => {
    const { generate, reward, update, start } = passOf(reGenesis());
    expect({ start, offPolicy: generate.offPolicy }).toEqual({ start: "base", offPolicy: true });
    expect(reward).toMatchObject({ name: "distinct verifier", description: { by: "text", perItem: 5 } });
    expect(update.learnsBy).toBe("imitation");
    expect(passOf(reGenesis({ reward: majority() })).reward.origin).toBe("self-derived");
    expect(() => reGenesis({ update: policyGradient() })).toThrow(/must imitate/);
    expect(passOf(reGenesis({ generate: samples() })).generate.name).toBe("samples");
  });
});

describe("simRag", () => {
  test("asks, keeps what comes back, and learns that alone; both parts know the documents", () => {
    const method = simRag({ documents: ["a text"], questions: 3, attempts: 6 });
    const [asking, learning] = [passOf(method), passOf(method, 1)];
    expect(asking).toMatchObject({ roles: [], writers: ["solver"] });
    expect(asking.generate.samplesPerItem).toBe(3);
    expect(asking.reward).toMatchObject({ answersPerRollout: 6, description: { documents: 1 } });
    expect(asking.generate.description.sha256).toBe(asking.reward.description.sha256);
    expect(learning.reward.name).toBe("labelled");
    expect(learning.itemsFrom?.([], reverse(), [])).toEqual([]);
    expect(() => passOf(simRag()).generate.check?.(reverse())).toThrow(
      expect.objectContaining({ code: "no-documents" }),
    );
  });
});

describe("sirius", () => {
  test("has a solver and a critic, each of whom learns its own part of a library of what succeeded", () => {
    const { roles, writers, generate, reward, update, buffer } = passOf(sirius());
    expect({ roles, writers, buffer }).toEqual({
      roles: ["solver", "critic"],
      writers: ["solver"],
      buffer: { name: "library", most: 4096, kept: true },
    });
    expect(generate).toMatchObject({ name: "with hints", description: { first: "revisions" } });
    expect(reward).toMatchObject({ name: "trajectories", origin: "external" });
    expect(update.description).toMatchObject({ learnFrom: "own", newest: 1 });
    expect(passOf(sirius({ augmented: 0 })).generate.name).toBe("revisions");
  });
});

test.each([
  ["rlc()", rlc],
  ["vStar()", vStar],
  ["reGenesis()", reGenesis],
  ["simRag()", simRag],
  ["sirius()", sirius],
] as const)("%s refuses an option that it does not have", (name, make) => {
  expect(() => (make as (options: object) => Method)({ sample: 4, reward: verifier(), step: 1 })).toThrow(
    expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(name) }),
  );
});
