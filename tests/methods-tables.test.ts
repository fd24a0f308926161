import { expect, test } from "vitest";
import { methods } from "whetstone";
import { givenTo, learnedBy, restsOnAnswers } from "../bench/methods/given.ts";
import type { MethodRow } from "../bench/methods/mechanism.ts";
import { difference, type SeededRow } from "../bench/methods/rows.ts";
import { judgedTables } from "../bench/methods/tables.ts";
import { unfiltered } from "../bench/methods/unfiltered.ts";

const pageOf = (name: string) => {
  const page = methods().find((one) => one.name === name);
  if (page === undefined) throw new Error(`no method ${name}`);
  return page;
};
const ended = (column: MethodRow["column"], method: string, after: readonly number[]): SeededRow[] =>
  after.map((one, seed) => ({
    ...{ method, column, before: 0.45, after: one, low: one - 0.5, high: one - 0.4, seed },
    ...{ diversity: null, gap: null, label_accuracy: null, tokens: 0 },
  }));
const knows = (column: "ceiling" | "misled-ceiling", accuracy: number): SeededRow[] =>
  [0, 1, 2].map((seed) => ({ column, method: "greedy", accuracy, seed }));
const failedIn = (name: string, rows: readonly SeededRow[]) =>
  judgedTables(rows, methods()).find((one) => one.name === name)?.failed;

test("what rests on its own answers must not end above what the base knows, and a verdict must lead above it", () => {
  const misled = (lmsi: number, star: number) =>
    failedIn("misled", [
      ...knows("misled-ceiling", 0.75),
      ...ended("misled", "lmsi", [lmsi, lmsi + 0.01, lmsi - 0.01]),
      ...ended("misled", "star", [star, star, star]),
    ]);
  expect(misled(0.75, 0.99)).toEqual([]);
  expect(misled(0.95, 0.99)).toEqual(["lmsi"]);
  expect(misled(0.75, 0.76)).toEqual(["star"]);
});

test("where another role decides, the solver's ceiling is shown and not asked for", () => {
  expect(["lmsi", "rent", "r-zero", "scpo"].map(pageOf).map(restsOnAnswers)).toEqual(Array(4).fill(true));
  expect(["dte", "self", "simrag", "rlc", "star"].map(pageOf).map(restsOnAnswers)).toEqual(
    Array(5).fill(false),
  );
  const rows = [...knows("ceiling", 0.7), ...ended("mechanism", "dte", [0.99, 0.99, 0.99])];
  expect(failedIn("ceiling", rows)).toEqual([]);
  expect(failedIn("ceiling", [...rows, ...ended("mechanism", "ttrl", [0.99, 0.99, 0.99])])).toEqual(["ttrl"]);
});

test("of the small transformer every method gains; of the pretrained one none without a verdict loses", () => {
  const [gains, unsure, loses] = [0.6, 0.45, 0.3].map((after) => [after]) as [number[], number[], number[]];
  expect(failedIn("mechanism", [...ended("mechanism", "ttrl", gains)])).toEqual([]);
  expect(failedIn("mechanism", [...ended("mechanism", "ttrl", unsure)])).toEqual(["ttrl"]);
  const real = (method: string, after: number[]) => failedIn("real", ended("real", method, after));
  expect(real("self-rewarding", unsure)).toEqual([]);
  expect(real("self-rewarding", loses)).toEqual(["self-rewarding"]);
  expect(real("grpo", unsure)).toEqual(["grpo"]);
});

test("a filter costs no more than seeds scatter; one seed does not say what they do", () => {
  const filters = (filtered: readonly number[], without: readonly number[]) =>
    failedIn("filters", [...ended("mechanism", "serl", filtered), ...ended("unfiltered", "serl", without)]);
  expect(filters([0.9, 0.91, 0.9], [0.99, 0.99, 0.99])).toEqual(["serl"]);
  expect(filters([0.8, 0.98, 0.95], [0.99, 0.97, 0.95])).toEqual([]);
  expect(filters([0.8], [0.99])).toEqual([]);
  const { low, high } = difference([{ of: 0.9, less: 0.9 }]);
  expect(high - low).toBeCloseTo(2 * 1.96 * Math.sqrt((2 * 0.9 * 0.1) / 384), 2);
});

test("every method that proposes has a control without its filter, which is another method", () => {
  const proposing = methods().filter((page) => /proposes|asks about/.test(learnedBy(page)));
  expect(proposing.map(({ name }) => name).sort()).toEqual(Object.keys(unfiltered).sort());
  const told = ({ description, passes }: ReturnType<(typeof proposing)[number]["make"]>) =>
    JSON.stringify([description, passes.map(({ update }) => update.name)]);
  for (const { name, make } of proposing)
    expect(told(unfiltered[name]?.make() ?? make())).not.toBe(told(make()));
});

test("the table says what is learned and what is given", () => {
  expect(learnedBy(pageOf("v-star"))).toBe("solver, verifier");
  expect(learnedBy(pageOf("self"))).toBe("solver; revises; judges");
  expect(givenTo(pageOf("lmsi"))).toBe("nothing");
  expect(givenTo(pageOf("v-star"))).toBe("the verifier's verdict; best of two, before and after");
  expect(givenTo(pageOf("regenesis"))).toMatch(/^the verifier's verdict; .*; demonstrations of roles again$/);
  expect(["spin", "supervised-fine-tuning"].map((name) => givenTo(pageOf(name)))).toEqual(
    Array(2).fill("demonstrations"),
  );
});
