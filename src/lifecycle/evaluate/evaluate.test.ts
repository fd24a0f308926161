import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type {
  Answer,
  Harness,
  Item,
  JudgedAnswer,
  Measurement,
  StratumScore,
  Task,
  Verdict,
} from "../../foundation/contract/index.ts";
import { attempt } from "../../gro/rollout/index.ts";
import { type Speak, samplingOf } from "../../gro/rollout/testing/fakes.ts";
import { itemOf, reverse } from "../../world/task/index.ts";
import { estimand, evaluationItems, frontierOf, gainOf, measure, pairsOf, shownSamples } from "./index.ts";

const task = reverse({ lengths: [2, 5], growTo: 6, measureTo: 7 });
const random = () => randomStream(1, "evaluate");
const byLength = (items: readonly Item[]): Map<number, Item[]> =>
  Map.groupBy(items, ({ difficulty }) => difficulty);

const greedily: Harness = {
  name: "greedily",
  description: {},
  samplesPerItem: 1,
  answer: async (request) =>
    (await attempt({ ...request, samples: 1, temperature: 0 })).map(({ item, rollouts }) => ({
      item,
      response: rollouts[0]?.response ?? { text: "", complete: false },
      rollouts,
    })),
};

describe("evaluationItems", () => {
  test("are every stratum's: the enumerated whole, of the others so many of the split", () => {
    const items = evaluationItems({ task, split: "validation", perStratum: 30, random: random() });
    const counts = [...byLength(items)].map(([difficulty, own]) => [difficulty, own.length]);
    expect(counts).toEqual([
      [2, 100],
      [3, 1000],
      [4, 30],
      [5, 30],
      [6, 30],
      [7, 30],
    ]);
    for (const { difficulty, split } of items) expect(split).toBe(difficulty <= 3 ? "none" : "validation");
    expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(items.length);
  });

  test("are the same from the same numbers, and more of them begin with the same", () => {
    const of = (split: "validation" | "audit", perStratum: number) =>
      evaluationItems({ task, split, perStratum, random: random() });
    expect(of("audit", 20)).toEqual(of("audit", 20));
    for (const [difficulty, own] of byLength(of("audit", 40)))
      expect(own.slice(0, 20)).toEqual(byLength(of("audit", 20)).get(difficulty)?.slice(0, 20));
    const audit = new Set(of("audit", 40).map(({ canonical }) => canonical));
    const shared = of("validation", 40).filter(
      ({ canonical, split }) => split !== "none" && audit.has(canonical),
    );
    expect(shared).toEqual([]);
  });

  test("are what there is where a split holds fewer", () => {
    const items = evaluationItems({ task, split: "validation", perStratum: 5000, random: random() });
    const four = byLength(items).get(4)?.length ?? 0;
    expect(four).toBeGreaterThan(850);
    expect(four).toBeLessThan(1150);
  });
});

describe("estimand", () => {
  test("is what weighs and is not measured whole; where all is, just that", () => {
    expect(estimand(task).map(({ difficulty }) => difficulty)).toEqual([4, 5, 6]);
    expect(estimand(reverse({ lengths: [1, 2], growTo: 3 })).map(({ difficulty }) => difficulty)).toEqual([
      1, 2, 3,
    ]);
  });
});

const items = evaluationItems({ task, split: "validation", perStratum: 40, random: random() });
const reversed = (prompt: string): string => [...prompt.slice(0, -1)].reverse().join("");
/** Right up to a length, and for half of the items of the next. */
const rightTo =
  (length: number): Speak =>
  (prompt) => {
    const [own, last] = [prompt.length - 1, Number(prompt.at(-2))];
    return own <= length || (own === length + 1 && last < 5) ? reversed(prompt) : "x";
  };
const measured = (speak: Speak, over: Task = task, given = items) =>
  measure({
    task: over,
    harness: greedily,
    policy: samplingOf(speak),
    weightVersion: "run/round-0-solver-0",
    items: given,
    split: "validation",
    seed: 1,
  });

describe("measure", () => {
  test("scores each stratum, and their mean over the target distribution", async () => {
    const { measurement, judged } = await measured(rightTo(5));
    const six = measurement.strata.find(({ difficulty }) => difficulty === 6)?.mean ?? Number.NaN;
    expect(measurement).toMatchObject({
      split: "validation",
      weightVersion: "run/round-0-solver-0",
      frontier90: 5,
    });
    expect(
      measurement.strata.map(({ difficulty, mean, enumerated }) => [difficulty, mean, enumerated]),
    ).toEqual([
      [2, 1, true],
      [3, 1, true],
      [4, 1, false],
      [5, 1, false],
      [6, six, false],
      [7, 0, false],
    ]);
    expect(six).toBeGreaterThan(0.2);
    expect(six).toBeLessThan(0.8);
    expect(measurement.mean).toBeCloseTo((1 + 1 + six) / 3, 12);
    expect(measurement.interval.low).toBeLessThan(measurement.mean);
    expect(measurement.interval.high).toBeGreaterThan(measurement.mean);
    expect(judged).toHaveLength(items.length);
  });

  test("a void verdict counts in no mean", async () => {
    const broken: Task = {
      ...task,
      verifier: {
        ...task.verifier,
        verify: (item, response) =>
          item.prompt.startsWith("1")
            ? { outcome: "void", reason: "down" }
            : task.verifier.verify(item, response),
      },
    };
    const { measurement, judged } = await measured((prompt) => reversed(prompt), broken);
    const two = measurement.strata[0];
    expect(two).toMatchObject({ difficulty: 2, items: 100, voids: 10, mean: 1 });
    expect(measurement.mean).toBe(1);
    expect(judged.filter(({ verdict }) => verdict.outcome === "void").length).toBe(
      measurement.strata.reduce((sum, { voids }) => sum + voids, 0),
    );
  });

  test("tells how far it is", async () => {
    const told: [number, number][] = [];
    await measure({
      task,
      harness: greedily,
      policy: samplingOf(reversed),
      weightVersion: "run/round-0-solver-0",
      items,
      split: "audit",
      seed: 1,
      onProgress: (done, all) => told.push([done, all]),
    });
    expect(told.at(-1)).toEqual([items.length, items.length]);
  });
});

describe("frontierOf", () => {
  const strata = (means: readonly number[]): StratumScore[] =>
    means.map((mean, index) => ({
      stratum: `length ${index + 1}`,
      difficulty: index + 1,
      items: 10,
      mean,
      voids: 0,
      enumerated: false,
    }));
  test.each([
    [[1, 0.9, 0.95, 0.89, 1], 3],
    [[0.89, 1, 1], null],
    [[1, 1], 2],
    [[], null],
  ])("of %j at .9 is %s", (means, frontier) => {
    expect(frontierOf(strata(means), 0.9)).toBe(frontier);
  });
});

const answerTo = (prompt: string, text: string): Answer => ({
  item: itemOf(task, { prompt, answer: reversed(prompt), difficulty: prompt.length - 1 }),
  response: { text, complete: true },
  rollouts: [],
});

describe("pairsOf", () => {
  const scores: Readonly<Record<string, number | "void">> = { right: 1, half: 0.5, wrong: 0, void: "void" };
  const graded: Task = {
    ...task,
    verifier: {
      ...task.verifier,
      verify: (_, { text }) => {
        const score = scores[text] ?? 0;
        return score === "void" ? { outcome: "void", reason: "down" } : { outcome: "scored", score };
      },
    },
  };

  test.each([
    ["right", "wrong", 1, false],
    ["wrong", "right", -1, false],
    ["right", "right", 0, false],
    ["half", "right", -0.5, false],
    ["void", "wrong", 0, true],
    ["void", "right", -1, true],
    ["right", "void", 0, true],
    ["half", "void", -0.5, true],
    ["void", "void", -1, true],
  ])("candidate %s against champion %s is %d", async (candidate, champion, difference, isVoid) => {
    const [pair] = await pairsOf({
      task: graded,
      candidate: [answerTo("1234=", candidate)],
      champion: [answerTo("1234=", champion)],
    });
    expect(pair).toEqual({ stratum: "length 4", difference, void: isVoid });
  });

  test("answers to other items are never compared", async () => {
    const one = [answerTo("1234=", "right")];
    await expect(pairsOf({ task, candidate: one, champion: [answerTo("1235=", "right")] })).rejects.toThrow(
      /different items/,
    );
    await expect(pairsOf({ task, candidate: one, champion: [] })).rejects.toThrow(
      /1 answers were compared with 0/,
    );
  });
});

describe("gainOf", () => {
  test("is the mean paired difference over the target distribution", async () => {
    const [before, after] = [await measured(rightTo(4)), await measured(rightTo(6))];
    const gain = gainOf({ task, before: before.judged, after: after.judged });
    const five = before.measurement.strata.find(({ difficulty }) => difficulty === 5)?.mean ?? Number.NaN;
    expect(gain.mean).toBeCloseTo((0 + (1 - five) + 1) / 3, 12);
    expect(gain.pairs).toBe(120);
    expect(gain.interval.low).toBeLessThan(gain.mean);
    expect(gainOf({ task, before: after.judged, after: before.judged }).mean).toBeCloseTo(-gain.mean, 12);
  });
});

describe("shownSamples", () => {
  const judgedOf = (prompt: string, text: string): JudgedAnswer => {
    const answer = answerTo(prompt, text);
    return { ...answer, verdict: task.verifier.verify(answer.item, answer.response) as Verdict };
  };
  const measurementAt = (frontier90: number | null) => ({ frontier90 }) as Measurement;
  const prompts = ["12=", "123=", "1234=", "12345=", "123456=", "1234567="];

  test("shows what became right, what became wrong, what is still wrong near the frontier, and what is right", () => {
    const before = prompts.map((prompt, index) => judgedOf(prompt, index < 3 ? reversed(prompt) : "0"));
    const after = prompts.map((prompt, index) =>
      judgedOf(prompt, [0, 2, 3].includes(index) ? reversed(prompt) : "1"),
    );
    const shown = shownSamples({ before, after, measurement: measurementAt(5) });
    expect(shown.map(({ prompt, right }) => [prompt, right])).toEqual([
      ["12345=", true],
      ["123=", false],
      ["1234567=", false],
      ["123456=", false],
      ["1234=", true],
      ["12=", true],
    ]);
    expect(shown[0]).toEqual({
      difficulty: 5,
      prompt: "12345=",
      answer: "54321",
      before: "0",
      beforeRight: false,
      after: "54321",
      right: true,
    });
  });

  test("shows more of what changed than of what did not, in each direction, and never many", () => {
    const many = (text: (prompt: string) => string) =>
      Array.from({ length: 40 }, (_, number) => `${100 + number}4=`).map((prompt) =>
        judgedOf(prompt, text(prompt)),
      );
    const low = (prompt: string): boolean => Number(prompt.slice(0, 3)) < 120;
    const before = many((prompt) => (low(prompt) ? "0" : reversed(prompt)));
    const after = many((prompt) => (low(prompt) ? reversed(prompt) : "0"));
    const shown = shownSamples({ before, after, measurement: measurementAt(4) });
    const counts = Map.groupBy(shown, ({ beforeRight, right }) => `${beforeRight} ${right}`);
    expect([...counts].map(([sort, own]) => [sort, own.length])).toEqual([
      ["false true", 8 + 4],
      ["true false", 8 + 4],
    ]);
    expect(shown.slice(0, 16).map(({ right }) => right)).toEqual(
      Array.from({ length: 16 }, (_, place) => place < 8),
    );
  });

  test("shows four of what nothing became, the hardest, and none twice", () => {
    const many = Array.from({ length: 9 }, (_, digit) => judgedOf(`${digit}234=`, "0"));
    const shown = shownSamples({ before: [], after: many, measurement: measurementAt(4) });
    expect(shown).toHaveLength(4);
    expect(new Set(shown.map(({ prompt }) => prompt)).size).toBe(4);
    expect(shown.every(({ before }) => before === null)).toBe(true);
  });

  test("shows nothing that is wrong far beyond what is solved", () => {
    const after = [judgedOf("1234567=", "0"), judgedOf("123=", "0")];
    expect(
      shownSamples({ before: [], after, measurement: measurementAt(1) }).map(({ prompt }) => prompt),
    ).toEqual(["123="]);
    expect(shownSamples({ before: [], after: [], measurement: measurementAt(null) })).toEqual([]);
  });
});
