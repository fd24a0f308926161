import { describe, expect, test } from "vitest";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import { reverse } from "../../world/task/index.ts";
import { amountWords, budgetWords, isBeyond, spentOf, withBudget, withinBoth } from "./budget.ts";
import { defineRun } from "./config.ts";

const task = reverse({ lengths: [1, 3], growTo: 4 });

describe("a budget", () => {
  test("has eight rounds and no cap, unless the config says otherwise", () => {
    expect(defineRun({ task }).budget).toEqual({ rounds: 8 });
    expect(defineRun({ task, budget: { tokens: 2e6, steps: 5000 } }).budget).toEqual({
      rounds: 8,
      tokens: 2e6,
      steps: 5000,
    });
  });

  test("is changed part by part, and null takes a cap away", () => {
    const definition = defineRun({ task, budget: { rounds: 4, tokens: 2e6, steps: 5000 } });
    const changed = withBudget(definition, { rounds: 6, tokens: null });
    expect(changed.budget).toEqual({ rounds: 6, steps: 5000 });
    expect(definition.budget).toEqual({ rounds: 4, tokens: 2e6, steps: 5000 });
    expect(withBudget(definition, {}).budget).toEqual(definition.budget);
  });

  test("with a cap on wall time is refused beside an engine that was asked for equal bits, and not on tables", () => {
    const budget = { wallSeconds: 60 };
    for (const engine of [local(), tabular()])
      expect(defineRun({ task, engine, budget }).budget.wallSeconds).toBe(60);
    const deterministic = local({ deterministic: true });
    const refusal = expect.objectContaining({
      code: "invalid-option",
      message: expect.stringMatching(/"budget\.wallSeconds".*`deterministic`.*Cap tokens or steps/),
    });
    expect(() => defineRun({ task, engine: deterministic, budget })).toThrow(refusal);
    expect(() => withBudget(defineRun({ task, engine: deterministic }), budget)).toThrow(refusal);
    expect(withBudget(defineRun({ task, engine: deterministic }), { tokens: 1000 }).budget.tokens).toBe(1000);
  });

  test.each([
    [{ rounds: -1 }, /"budget\.rounds"/],
    [{ tokens: 0 }, /"budget\.tokens"/],
    [{ steps: 1.5 }, /"budget\.steps"/],
    [{ currency: -1 }, /"budget\.currency"/],
    [{ token: 5 }, /no option "budget\.token"; did you mean "tokens"/],
  ])("%j is refused", (budget, message) => {
    expect(() => defineRun({ task, engine: tabular(), budget } as never)).toThrow(message);
  });

  test("is beyond another where any of its parts is", () => {
    const approved = { rounds: 8, tokens: 1000 };
    expect(isBeyond({ rounds: 8, tokens: 1000 }, approved)).toBe(false);
    expect(isBeyond({ rounds: 4, tokens: 500, steps: 9 }, approved)).toBe(false);
    expect(isBeyond({ rounds: 9, tokens: 1000 }, approved)).toBe(true);
    expect(isBeyond({ rounds: 2, tokens: 1001 }, approved)).toBe(true);
    expect(isBeyond({ rounds: 2 }, approved)).toBe(true);
  });

  test("within two others is the less of each part", () => {
    expect(withinBoth({ rounds: 9, tokens: 100 }, { rounds: 8, tokens: 1000, steps: 7 })).toEqual({
      rounds: 8,
      tokens: 100,
      steps: 7,
    });
  });

  test("in words", () => {
    expect(budgetWords({ rounds: 1, tokens: 2e6, wallSeconds: 7200 })).toBe(
      "1 round, 2,000,000 tokens, 7,200 s",
    );
    expect(budgetWords({})).toBe("");
    expect(amountWords("currency", 0.125)).toBe("0.125 of the engine's currency");
  });
});

test("tokens are those sampled and trained, and time what caps count of it", () => {
  const cost = {
    tokensSampled: 10,
    tokensTrained: 20,
    optimizerSteps: 3,
    busySeconds: 4,
    availableSeconds: 5,
    wallSeconds: 6,
  };
  const spent = (more: object) =>
    (["tokens", "steps", "wallSeconds", "currency"] as const).map((cap) =>
      spentOf(cap, { ...cost, ...more }),
    );
  expect(spent({})).toEqual([30, 3, 6, 0]);
  expect(spent({ chargedSeconds: 60, currency: 1.5 })).toEqual([30, 3, 60, 1.5]);
});
