import { describe, expect, test } from "vitest";
import type { Cost, RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import type { Marginal } from "../../loop/run/marginal.ts";
import { closingWords } from "./closing-words.ts";
import { marginalWords, price } from "./marginal-words.ts";
import { reportPage } from "./page/report-page.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const cost: Cost = {
  tokensSampled: 1_000_000,
  tokensTrained: 500_000,
  optimizerSteps: 300,
  busySeconds: 1,
  availableSeconds: 1,
  wallSeconds: 90,
};
const marginal: Marginal = {
  rounds: [6, 7, 8],
  gain: 0.06,
  interval: { low: 0.03, high: 0.09 },
  room: 0.5,
  cost,
};
const wordsOf = (more: Partial<Marginal>) =>
  marginalWords({ marginal: { ...marginal, ...more }, facts: null, engine: null });

describe("what more budget would buy", () => {
  test("is a round at the pace of the last ones, with the interval divided as the gain is", () => {
    expect(wordsOf({})).toBe(
      "rounds 6-8 gained +6.0 points on validation items (95 % interval +3.0 to +9.0) for 1.5 M tokens, 1 min 30 s; at that pace one round more, about 500.0 k tokens, 30 s, buys +2.0 points (95 % interval +1.0 to +3.0)",
    );
  });

  test("is no more than there is left to gain", () => {
    expect(wordsOf({ room: 0.025 })).toMatch(
      /; at that pace one round more, .*, buys \+2\.0 points \(95 % interval from \+1\.0, and no more than \+2\.5 are left to gain\)$/,
    );
  });

  test.each([
    [0.015, "at most +1.5 points: no more are left to gain on validation items"],
    [0.0004, "less than 0.1 points: no more are left to gain on validation items"],
    [0, "nothing: all validation items are answered rightly, and nothing is left to gain"],
  ])("is not told by the pace where only %d is left", (room, left) => {
    const words = wordsOf({ room });
    expect(words).toMatch(/ 30 s; one round more, about 500\.0 k tokens, 30 s, buys /);
    expect(words?.endsWith(`buys ${left}`)).toBe(true);
  });

  test("is nothing where nothing was promoted", () => {
    expect(wordsOf({ gain: 0, interval: null })).toBe(
      "none of rounds 6-8 was promoted, for 1.5 M tokens, 1 min 30 s: at that pace one round more, about 500.0 k tokens, 30 s, buys nothing",
    );
    expect(wordsOf({ rounds: [1], gain: 0, interval: null })).toMatch(/^round 1 was not promoted, for /);
  });

  test("names steps where they are capped, and money where it is charged", () => {
    const story = tellRun(plausibleRun({ rounds: 1 }));
    const facts = story.facts && { ...story.facts, budget: { rounds: 1, steps: 900 } };
    const engine = story.engine && { ...story.engine, currency: "USD" };
    expect(
      marginalWords({ marginal: { ...marginal, cost: { ...cost, currency: 3 } }, facts, engine }),
    ).toContain("1.5 M tokens, 300 steps, 3.00 USD, 1 min 30 s");
    expect(price(0.0123, engine)).toBe("0.0123 USD");
  });

  test("is said where a run has ended, and not while it goes on", () => {
    const events = plausibleRun({ rounds: 4 });
    const ended = tellRun(events);
    expect(closingWords(ended).join("\n")).toMatch(/^next {6}/m);
    expect(reportPage(ended, { generatedAt: new Date(0) })).toContain("What more would buy: ");
    expect(closingWords(tellRun(events.slice(0, -1))).join("\n")).not.toMatch(/^next/m);
    expect(marginalWords(tellRun(events.slice(0, 9)))).toBeUndefined();
  });
});

test("a run that a cap ended says so, everywhere", () => {
  const before = plausibleRun({ rounds: 3 }).slice(0, -1);
  const stop: RunEvent = {
    type: "budget-spent",
    round: 3,
    cap: "tokens",
    limit: 5e6,
    spent: 5.1e6,
    keptBack: 0,
    reason: "the budget of 5,000,000 tokens is spent: 5,100,000 tokens",
  };
  const stored: StoredEvent = { id: before.length + 1, run: "1-reverse", at: 1e12, event: stop };
  const story = tellRun([...before, stored]);
  expect(story).toMatchObject({ state: "budget-spent", reason: stop.reason });
  expect(closingWords(story)[0]).toBe(`reverse: stopped in round 3 of 3: ${stop.reason}`);
  const page = reportPage(story, { generatedAt: new Date(0) });
  expect(page).toContain("budget spent");
  expect(page).toContain("A raised budget goes on from there.");
  expect(page).toContain("The budget was spent before the run’s rounds were.");
});
