import { expect, test } from "vitest";
import type { Cost, RunEvent, StoredEvent } from "../../../foundation/contract/index.ts";
import { spentCap, spentWords, stillSpent, stopAt, stoppedAt } from "./spending.ts";

const cost = (tokens: number, steps = 0): Cost => ({
  tokensSampled: tokens,
  tokensTrained: 0,
  optimizerSteps: steps,
  busySeconds: 0,
  availableSeconds: 0,
  wallSeconds: 0,
});

test("a cap is reached when what is spent and what is kept back come to it", () => {
  const budget = { rounds: 8, tokens: 1000, steps: 50 };
  expect(spentCap(budget, cost(899), { tokens: 100 })).toBeNull();
  expect(spentCap(budget, cost(900), { tokens: 100 })).toEqual({
    cap: "tokens",
    limit: 1000,
    spent: 900,
    keptBack: 100,
  });
  expect(spentCap(budget, cost(0, 51), {})).toEqual({ cap: "steps", limit: 50, spent: 51, keptBack: 0 });
  expect(spentCap({ rounds: 8 }, cost(1e9, 1e9), {})).toBeNull();
});

test("an error that ends work at a cap knows which, and no other error does", () => {
  const spent = { cap: "tokens", limit: 1000, spent: 900, keptBack: 100 } as const;
  expect(stoppedAt(stopAt(spent))).toEqual(spent);
  expect(stoppedAt(new Error("budget-spent"))).toBeNull();
  expect(spentWords(spent)).toBe(
    "the budget of 1,000 tokens is spent: 900 tokens, and 100 tokens are kept back for the closing audit",
  );
  expect(spentWords({ ...spent, keptBack: 0 })).toBe("the budget of 1,000 tokens is spent: 900 tokens");
});

test("a stop holds until the budget is raised above what was spent and is kept back", () => {
  const stop: RunEvent = {
    type: "budget-spent",
    round: 2,
    cap: "tokens",
    limit: 1000,
    spent: 910,
    keptBack: 100,
    reason: "",
  };
  const events = (...list: RunEvent[]): StoredEvent[] =>
    list.map((event, index) => ({ id: index + 1, run: "1-x", at: 0, event }));
  const metered: RunEvent = { type: "cost-metered", round: 2, cost: cost(980) };
  expect(stillSpent(events(metered), { rounds: 8, tokens: 500 })).toBeUndefined();
  const stopped = events(stop, metered);
  expect(stillSpent(stopped, { rounds: 8, tokens: 1000 })).toEqual(stop);
  expect(stillSpent(stopped, { rounds: 8, tokens: 1080 })).toEqual({
    cap: "tokens",
    limit: 1080,
    spent: 980,
    keptBack: 100,
  });
  expect(stillSpent(stopped, { rounds: 8, tokens: 500 })).toMatchObject({ limit: 500, spent: 980 });
  expect(stillSpent(stopped, { rounds: 8, tokens: 1081 })).toBeUndefined();
  expect(stillSpent(stopped, { rounds: 8 })).toBeUndefined();
});
