import { describe, expect, test } from "vitest";
import type { Method, Pass } from "../../../../gro/method.ts";
import { itemOf, rolloutOf } from "../../../../gro/rollout/testing/fakes.ts";
import { reverse } from "../../../../world/task/index.ts";
import { absoluteZero, drZero, dte, rZero, serl, simRag, spice, spin } from "../../index.ts";

const passOf = ({ passes }: Method, at: number): Pass => {
  const pass = passes[at];
  if (pass === undefined) throw new Error(`no pass ${at}`);
  return pass;
};
const documents = ["Vienna lies on the Danube."];

test("what it means that there is nothing to learn from is said in the words of what was to make it", () => {
  const words = (method: Method) => method.passes.at(-1)?.noItems;
  expect(words(absoluteZero())).toBe(
    "what was proposed is no problem of the task, was there before, or could not be judged",
  );
  expect(words(rZero())).toMatch(/ is no problem .*, or is solved less often than 0\.3 or more than 0\.7$/);
  expect(words(dte())).toMatch(/^no debate/);
  expect(words(simRag())).toMatch(/^no question led back/);
  expect(words(spin())).toMatch(/^nothing was demonstrated/);
});

describe("absoluteZero", () => {
  test("both roles learn with a baseline for each kind of task", () => {
    for (const at of [0, 1])
      expect(passOf(absoluteZero(), at).update.description).toMatchObject({
        advantages: "batch",
        byKind: true,
      });
  });
});

test("of proposals with a tied vote R-Zero's solver has no answer to learn; SeRL's votes anew", () => {
  const made = (prompt: string, solved: number) => {
    const { answer: _, ...item } = itemOf(prompt);
    const known = solved === 0.5 ? item : { ...item, answer: "vote" };
    return { rollout: rolloutOf(item, prompt), reward: 1, parts: { solved }, made: known };
  };
  const earlier = [
    { item: itemOf("seed"), rollouts: [made("tied", 0.5), made("clear", 0.6), made("sure", 0.9)] },
  ];
  const learnt = (method: Method) =>
    method.passes
      .at(-1)
      ?.itemsFrom?.(earlier, reverse(), [])
      .map(({ prompt }) => prompt);
  expect(learnt(rZero())).toEqual(["clear"]);
  expect(learnt(serl())).toEqual(["tied", "clear"]);
});

describe("rZero", () => {
  test("challenges for less where others of the step say nearly the same; what is made is not weighed by it", () => {
    const method = rZero({ repetition: 0.5, attempts: 4 });
    const { reward } = passOf(method, 0);
    expect(reward).toMatchObject({
      name: "learnability less repetition",
      description: { repetition: 0.5, threshold: 0.5, form: "middle", attempts: 4 },
      answersPerRollout: 4,
    });
    expect(passOf(method, 1).reward.name).toBe("learnability");
    expect(passOf(rZero(), 0).reward.description.repetition).toBe(1);
    expect(() => rZero({ repetition: -1 })).toThrow(/"repetition"/);
  });
});

describe("spice", () => {
  test("challenges from documents, reasons without them, and both learn by Dr. GRPO", () => {
    const method = spice({ documents, turns: 2, attempts: 6 });
    expect(method).toMatchObject({ roles: ["solver"], repeat: 2, learnsBy: "policy-gradient" });
    const [challenge, reason] = [passOf(method, 0), passOf(method, 1)];
    expect(challenge).toMatchObject({
      generate: { name: "ask documents", samplesPerItem: 4 },
      reward: { description: { form: "variance", invalid: -0.1, attempts: 6 } },
    });
    expect(reason).toMatchObject({ generate: { name: "samples" }, reward: { name: "verifier" } });
    for (const pass of [challenge, reason])
      expect(pass.update.description).toMatchObject({ divideByDeviation: false, average: "constant" });
    // What is in the documents is part of what the method is.
    expect(method.description.sha256).not.toBe(spice({ documents: ["other"] }).description.sha256);
    expect(spice().description).not.toHaveProperty("sha256");
  });

  test.each([
    [{ document: "x" }, /did you mean "documents"/],
    [{ documents: "/nowhere/notes.jsonl" }, /notes.jsonl cannot be read/],
    [{ attempts: 1 }, /"attempts"/],
  ])("refuses %o", (options, message) => {
    expect(() => spice(options as object)).toThrow(message);
  });
});

describe("drZero", () => {
  test("a proposer of one proposal a document learns hop by hop, a solver that searches attempt by attempt", () => {
    const method = drZero({ documents, searches: 2, samples: 4 });
    expect(method).toMatchObject({ roles: ["solver", "proposer"], alike: true, lead: "solver" });
    const [propose, make, solve] = [0, 1, 2].map((at) => passOf(method, at)) as [Pass, Pass, Pass];
    expect(propose).toMatchObject({
      roles: ["proposer"],
      asks: ["solver"],
      generate: { description: { samples: 1, searches: 2 } },
      reward: {
        name: "learnability throughout",
        description: { form: "rare", valid: 0.5, searches: 2, attempts: 4 },
      },
      update: { description: { byKind: true, sampleDeviation: true, epsilon: 1e-6 }, attemptsPerItem: 1 },
    });
    expect(make.roles).toEqual([]);
    expect(solve).toMatchObject({
      roles: ["solver"],
      generate: { name: "with search", description: { samples: 4, searches: 2 } },
      reward: { name: "verifier throughout" },
    });
    expect(solve.update.description).not.toHaveProperty("byKind");
  });

  test.each([
    [{ hops: 2 }, /no option "hops"/],
    [{ searches: 0 }, /"searches"/],
    [{ documents: [] }, /"documents"/],
  ])("refuses %o", (options, message) => {
    expect(() => drZero(options as object)).toThrow(message);
  });
});
