import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { SelectContext, Selected, Selector } from "../../foundation/contract/index.ts";
import { itemOf } from "../../gro/rollout/testing/fakes.ts";
import { reverse } from "../../world/task/index.ts";
import { balanceAnswers, deduplicate, select, solveRateBand } from "./index.ts";

const contextOf = (rest: Partial<SelectContext> = {}): SelectContext => ({
  task: reverse(),
  round: 1,
  random: randomStream(0, "select"),
  seen: new Set(),
  solveRates: async () => {
    throw new Error("nobody asked for solve rates");
  },
  ...rest,
});
const items = (...prompts: string[]) => prompts.map((prompt) => itemOf(prompt));
const namesOf = (selected: readonly Selected[]): string[] => selected.map(({ item }) => item.canonical);

describe("select", () => {
  test("keeps all where nobody selects", async () => {
    const { selected, dropped } = await select([], items("1", "2", "1"), contextOf());
    expect(namesOf(selected)).toEqual(["1", "2", "1"]);
    expect(selected[0]).toMatchObject({ score: 1, reason: "acquired" });
    expect(dropped).toEqual([]);
  });

  test("shows each selector what those before it kept, and counts what each drops", async () => {
    const odd: Selector = {
      name: "odd",
      description: {},
      select: async (members) =>
        members.filter(({ item }) => Number(item.prompt) % 2 === 1).map((one) => ({ ...one, reason: "odd" })),
    };
    const { selected, dropped } = await select(
      [deduplicate(), odd],
      items("1", "2", "1", "3", "4"),
      contextOf(),
    );
    expect(selected).toMatchObject([{ item: { prompt: "1" }, reason: "odd" }, { item: { prompt: "3" } }]);
    expect(dropped).toEqual([
      { count: 1, reason: "deduplicate" },
      { count: 2, reason: "odd" },
    ]);
  });

  test("ends between selectors when it is asked to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(select([deduplicate()], items("1"), contextOf({ signal }))).rejects.toThrow("enough");
  });
});

describe("deduplicate", () => {
  test("keeps the first of each, and none that an earlier round has learnt from", async () => {
    const { selected } = await select(
      [deduplicate()],
      items("12", "34", "12", "56", "34"),
      contextOf({ seen: new Set(["56", "78"]) }),
    );
    expect(namesOf(selected)).toEqual(["12", "34"]);
  });

  test("items are one when their canonical forms are", async () => {
    const same = [
      { ...itemOf("1+2"), canonical: "1+2" },
      { ...itemOf("2+1"), canonical: "1+2" },
    ];
    const seen = new Set<string>();
    const { selected } = await select([deduplicate()], same, contextOf({ seen }));
    expect(selected).toMatchObject([{ item: { prompt: "1+2" } }]);
    expect(seen.size).toBe(0);
  });
});

describe("solveRateBand", () => {
  const rates: Readonly<Record<string, number | null>> = { a: 0, b: 0.2, c: 0.5, d: 0.8, e: 1, f: null };
  const solveRates: SelectContext["solveRates"] = async (asked) =>
    asked.map(({ canonical }) => rates[canonical] ?? null);

  test("keeps what is solved sometimes, both ends of the band among it, with its rate", async () => {
    const { selected } = await select([solveRateBand()], items(..."abcdef"), contextOf({ solveRates }));
    expect(selected).toMatchObject([
      { item: { canonical: "b" }, score: 0.2, reason: "solved in 20 % of 8 attempts" },
      { item: { canonical: "c" }, score: 0.5 },
      { item: { canonical: "d" }, score: 0.8 },
    ]);
  });

  test("asks for as many attempts as it says, at what is left to it", async () => {
    const asked: [string[], number][] = [];
    const context = contextOf({
      seen: new Set(["a"]),
      solveRates: async (given, samples) => {
        asked.push([given.map(({ canonical }) => canonical), samples]);
        return given.map(() => 1);
      },
    });
    const band = solveRateBand({ low: 1, high: 1, samples: 3 });
    const { selected } = await select([deduplicate(), band], items("a", "b"), context);
    expect(asked).toEqual([[["b"], 3]]);
    expect(namesOf(selected)).toEqual(["b"]);
    expect(band.samplesPerItem).toBe(3);
  });

  test.each([
    [{ low: 0.9, high: 0.1 }, /"low": it is greater than "high"/],
    [{ samples: 0 }, /"samples"/],
    [{ hi: 1 }, /did you mean "high"/],
  ])("refuses %o", (options, message) => {
    expect(() => solveRateBand(options as object)).toThrow(message);
  });
});

describe("balanceAnswers", () => {
  const answered = (...pairs: string[]) =>
    pairs.map((pair) => ({ ...itemOf(pair.slice(1)), answer: pair.slice(0, 1) }));

  test("keeps as many of each answer as the rarest has, in turn, each answer's in their order", async () => {
    const { selected, dropped } = await select(
      [balanceAnswers()],
      answered("0a", "0b", "0c", "1d", "2e", "1f", "0g", "2h", "2i"),
      contextOf(),
    );
    expect(namesOf(selected)).toEqual(["a", "d", "e", "b", "f", "h"]);
    expect(selected[0]).toMatchObject({ score: 1, reason: "2 of each answer" });
    expect(dropped).toEqual([{ count: 3, reason: "balance answers" }]);
  });

  test("has nothing to balance where there is nothing", async () => {
    expect((await select([balanceAnswers()], [], contextOf())).selected).toEqual([]);
  });

  test("refuses items without a reference answer, and options", async () => {
    const { answer: _, ...unanswered } = { ...itemOf("x"), answer: "1" };
    await expect(select([balanceAnswers()], [unanswered], contextOf())).rejects.toThrow(/"x" has none/);
    expect(() => balanceAnswers({ by: "answer" } as never)).toThrow(/"by"/);
  });
});
