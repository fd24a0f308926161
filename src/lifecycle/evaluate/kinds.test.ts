import { expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Harness, Item, JudgedAnswer, SamplingPolicy } from "../../foundation/contract/index.ts";
import { arithmetic } from "../../world/task/index.ts";
import { evaluationItems, measure, readMeters, shownSamples } from "./index.ts";
import { judge } from "./measure.ts";

const task = arithmetic();
const items = evaluationItems({
  task,
  split: "validation",
  perStratum: 12,
  random: randomStream(1, "kinds"),
});

/** Right for the kinds that it knows. */
function answering(...known: string[]): Harness {
  return {
    name: "by kind",
    description: {},
    samplesPerItem: 1,
    answer: async ({ items: asked }) =>
      asked.map((item) => ({ item, rollouts: [], response: says(item, known) })),
  };
}

function says(item: Item, known: readonly string[]) {
  const text = known.includes(item.stratum) ? `It is ${item.answer}.` : "I do not know.\nReally.";
  return { text, complete: true };
}

const judged = (...known: string[]): Promise<JudgedAnswer[]> =>
  judge(
    task,
    items.map((item) => ({ item, rollouts: [], response: says(item, known) })),
  );

test("kinds are measured by name, and none of them is a frontier", async () => {
  const { measurement } = await measure({
    task,
    harness: answering("product", "sum"),
    policy: {} as SamplingPolicy,
    weightVersion: "v",
    items,
    split: "validation",
    seed: 1,
  });
  expect(measurement.strata.map(({ stratum, mean, items: count }) => [stratum, mean, count])).toEqual([
    ["product", 1, 66],
    ["sum", 1, 12],
    ["difference", 0, 12],
  ]);
  expect(measurement.mean).toBe(0.5);
  expect([measurement.frontier90, measurement.frontier50]).toEqual([null, null]);
  const evidence = {
    round: 1,
    method: "m",
    learnsBy: "imitation",
    validation: { ...measurement, split: "validation" },
    championValidation: null,
    gain: null,
    attempts: null,
    rewardOrigin: "external",
    trained: null,
    planted: null,
    training: null,
    history: [],
    promotions: [],
  } as const;
  const names = (ordered?: boolean) =>
    readMeters(evidence, ordered === undefined ? {} : { ordered }).map(({ meter }) => meter);
  expect(names(false)).not.toContain("frontier");
  expect(names(false)).not.toContain("frontier at half");
  expect(names()).toEqual(["accuracy", "frontier", "frontier at half", ...names(false).slice(1)]);
});

test("of each kind some are shown that became right, became wrong and stayed wrong, fewest of the last", async () => {
  const measurement = { frontier90: null } as never;
  const [before, after] = [await judged("product"), await judged("sum")];
  const shown = shownSamples({ task, before, after, measurement });
  expect(shown.map(({ kind, beforeRight, right }) => [kind, beforeRight, right])).toEqual([
    ...Array.from({ length: 4 }, () => ["product", true, false]),
    ...Array.from({ length: 4 }, () => ["sum", false, true]),
    ["difference", false, false],
    ["difference", false, false],
  ]);
  expect(shown[4]).toMatchObject({ before: "I do not know.\nReally.", after: `It is ${shown[4]?.answer}.` });
  expect(new Set(shown.map(({ prompt }) => prompt)).size).toBe(10);
});

test("of many kinds those are shown in which something changed, and no more than a page can bear", async () => {
  const items = Array.from({ length: 400 }, (_, n): Item => {
    const stratum = `kind ${n % 20}`;
    return {
      prompt: `${n}?`,
      answer: `${n}`,
      canonical: `${n}`,
      stratum,
      difficulty: 1 + (n % 20),
      split: "validation",
    } as never;
  });
  const say = (rightly: (item: Item) => boolean) =>
    items.map(
      (item): JudgedAnswer => ({
        item,
        response: { text: "", complete: true },
        rollouts: [],
        verdict: { outcome: "scored", score: rightly(item) ? 1 : 0 } as never,
      }),
    );
  const measurement = { frontier90: null } as never;
  // In the last five kinds half became right and half became wrong; nothing else did.
  const late = ({ difficulty }: Item): boolean => difficulty > 15;
  const even = ({ canonical }: Item): boolean => Math.floor(Number(canonical) / 20) % 2 === 0;
  const before = say((item) => late(item) && even(item));
  const after = say((item) => late(item) && !even(item));
  const shown = shownSamples({ task, before, after, measurement });
  expect([...new Set(shown.map(({ kind }) => kind))].slice(0, 5)).toEqual(
    [15, 16, 17, 18, 19].map((kind) => `kind ${kind}`),
  );
  expect(shown.length).toBeLessThanOrEqual(36);
  expect(shown.slice(0, 2).map(({ beforeRight, right }) => [beforeRight, right])).toEqual([
    [false, true],
    [true, false],
  ]);
});

test("the base shows what is wrong and what is right, and nothing before it", async () => {
  const shown = shownSamples({
    task,
    before: [],
    after: await judged("sum"),
    measurement: { frontier90: null } as never,
  });
  expect(shown.map(({ kind, right }) => [kind, right])).toEqual([
    ["product", false],
    ["product", false],
    ["sum", true],
    ["sum", true],
    ["difference", false],
    ["difference", false],
  ]);
  for (const sample of shown) expect(sample).toMatchObject({ before: null });
  for (const sample of shown) expect(sample).not.toHaveProperty("beforeRight");
});
