import { describe, expect, test } from "vitest";
import type { RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { closingWords } from "./closing-words.ts";
import { moreWords } from "./more-words.ts";
import { reportPage } from "./page/report-page.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const stop: RunEvent = {
  type: "budget-spent",
  round: 0,
  cap: "tokens",
  limit: 5e6,
  spent: 5.1e6,
  keptBack: 0,
  reason: "the budget of 5,000,000 tokens is spent: 5,100,000 tokens",
};
const told = (events: readonly StoredEvent[], ...more: RunEvent[]) =>
  tellRun([
    ...events,
    ...more.map((event, index) => ({ id: 99_999 + index, run: "1-reverse", at: 1e12, event })),
  ]);
const question = (round: number): RunEvent => ({
  type: "question-asked",
  round,
  question: `1-promotion-${round}`,
  about: "promotion",
  text: `promote the candidate of round ${round}`,
  details: {},
});
/** Events up to the last of a type in a round. */
const upTo = (events: readonly StoredEvent[], type: RunEvent["type"], round: number): StoredEvent[] =>
  events.slice(
    0,
    1 + events.findLastIndex(({ event }) => event.type === type && "round" in event && event.round === round),
  );

describe("what is known of what more would buy", () => {
  const run = plausibleRun({ rounds: 3 });

  test("at a cap in the first round: what it has taken, and what its candidate promises", () => {
    const { event: metered } =
      run.find(({ event }) => event.type === "cost-metered" && event.round === 1) ?? {};
    const story = told(upTo(run, "validation-measured", 1), { ...metered, round: 0 } as RunEvent, stop);
    expect(moreWords(story)).toMatch(
      /^not known before a round has ended: the budget was spent in round 1, which has taken [\d.]+ [kM] tokens, .*; its candidate stands \+\d+\.\d points from the champion on validation items \(95 % interval .* to .*\), which the gate has not judged$/,
    );
    expect(closingWords(story).join("\n")).toMatch(/^next {6}not known before a round has ended: /m);
    expect(reportPage(story, { generatedAt: new Date(0) })).toContain("What more would buy: not known");
    // While it goes on nothing is missing yet.
    expect(moreWords(told(upTo(run, "validation-measured", 1)))).toBeUndefined();
  });

  test("at a cap in the preparation, and where there were no rounds", () => {
    expect(moreWords(told(run.slice(0, 4), stop))).toMatch(/^not known: no round was begun/);
    expect(moreWords(tellRun(plausibleRun({ rounds: 0 })))).toMatch(/^not known: no round was begun/);
  });

  test("where decisions are only recorded: that nothing is gated, and what a round takes", () => {
    const story = tellRun(plausibleRun({ rounds: 2, observe: true }));
    expect(moreWords(story)).toMatch(
      /^not known: decisions are only recorded, so nothing is gated and no round gains anything; a round takes about [\d.]+ [kM] tokens, /,
    );
    expect(closingWords(story).join("\n")).toMatch(/^next {6}not known: decisions are only recorded/m);
  });

  test("rounds that wait for a person are not said to buy nothing, nor counted beside those that are promoted", () => {
    const rejected = plausibleRun({ rounds: 2, rejected: [1, 2] }).slice(0, -1);
    expect(moreWords(told(rejected, stop))).toMatch(/^none of rounds 1 and 2 was promoted, .* buys nothing$/);
    expect(moreWords(told(rejected, question(1), question(2), stop))).toMatch(
      /^not known before a person has answered: rounds 1 and 2 wait for it, for [\d.]+ [kM] tokens, /,
    );
    const some = plausibleRun({ rounds: 2, rejected: [2] }).slice(0, -1);
    expect(moreWords(told(some, question(2), stop))).toMatch(
      /^rounds 1 and 2 gained \+.*; round 2 waits for a person, and what that gains is not counted$/,
    );
  });
});
