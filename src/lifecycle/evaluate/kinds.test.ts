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
    validation: measurement,
    championValidation: null,
    training: null,
    history: [],
  } as const;
  const names = (ordered?: boolean) =>
    readMeters(evidence, ordered === undefined ? {} : { ordered }).map(({ meter }) => meter);
  expect(names(false)).not.toContain("frontier");
  expect(names(false)).not.toContain("frontier at half");
  expect(names()).toEqual(["accuracy", "frontier", "frontier at half", ...names(false).slice(1)]);
});

test("two of each kind are shown that became right, became wrong and stayed wrong", async () => {
  const measurement = { frontier90: null } as never;
  const [before, after] = [await judged("product"), await judged("sum")];
  const shown = shownSamples({ task, before, after, measurement });
  expect(shown.map(({ kind, beforeRight, right }) => [kind, beforeRight, right])).toEqual([
    ["product", true, false],
    ["product", true, false],
    ["sum", false, true],
    ["sum", false, true],
    ["difference", false, false],
    ["difference", false, false],
  ]);
  expect(shown[2]).toMatchObject({ before: "I do not know.\nReally.", after: `It is ${shown[2]?.answer}.` });
  expect(new Set(shown.map(({ prompt }) => prompt)).size).toBe(6);
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
