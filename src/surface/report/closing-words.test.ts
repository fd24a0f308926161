import { describe, expect, test } from "vitest";
import type { Gain, StoredEvent } from "../../foundation/contract/index.ts";
import { closingWords } from "./closing-words.ts";
import { tellRun } from "./tell-run.ts";
import { displayWidth } from "./terminal/display-width.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const run = plausibleRun({ rejected: [3, 6], warned: [4] });
const words = (events: readonly StoredEvent[], options = {}): string =>
  closingWords(tellRun(events), options).join("\n");
const upTo = (events: readonly StoredEvent[], type: StoredEvent["event"]["type"], round = 1): StoredEvent[] =>
  events.slice(
    0,
    1 + events.findIndex(({ event }) => event.type === type && "round" in event && event.round === round),
  );
const withGain = (gain: Partial<Gain>): StoredEvent[] =>
  run.map((stored) =>
    stored.event.type === "audit-measured" && stored.event.comparison === "base"
      ? { ...stored, event: { ...stored.event, gain: { ...stored.event.gain, ...gain } } }
      : stored,
  );

describe("a finished run", () => {
  const gain = tellRun(run).gain!;
  const text = words(run, { report: "/home/me/.whetstone/report.html" });

  test("says its gain with the interval, and against whom", () => {
    const [mean, low, high] = [gain.mean, gain.interval.low, gain.interval.high].map((value) =>
      (100 * value).toFixed(1),
    );
    expect(text).toContain(
      `gain      +${mean} points on audit items (95 % interval +${low} to +${high}, 2,304 pairs)`,
    );
    expect(text).toContain("champion of round 8 against the base");
  });

  test("says the frontier before and after, on audit items", () => {
    expect(text).toMatch(/^frontier {2}length 9 → 17 \(.*on audit items\)$/m);
  });

  test("says of which items the rounds' figures are, which are not those of the result", () => {
    expect(text).toMatch(
      /^\(frontier and accuracy of rounds: on validation items; kept right: of labels kept to train on\)$/m,
    );
  });

  test("says of each round what became of it and why", () => {
    expect(text).toMatch(/^ +3 {2}rejected .*a gain was not shown: \+0\.7 points on 4000 pairs/m);
    expect(text).toMatch(/^ +8 {2}promoted .*better: /m);
  });

  test("says guards that were not content, cost, and where the report lies", () => {
    expect(text).toMatch(/^guards {4}label accuracy says warn in round 4: 96\.2 % of/m);
    expect(text).toMatch(/^cost {6}\d min \d\d s, engine busy \d\d %, .* tokens sampled/m);
    expect(text).toMatch(/^report {4}\/home\/me\/\.whetstone\/report\.html$/m);
  });
});

describe("honesty", () => {
  /** A made-up run in whose first rounds as many guards as are asked for could not measure. */
  const blind = (rounds: number, guards: number): string =>
    words(
      plausibleRun({ rounds: 3 }).map((stored): StoredEvent => {
        const { event } = stored;
        if (event.type !== "guards-spoke") return stored;
        const findings = event.findings.map((finding, index) => ({
          ...finding,
          answer: "ok" as const,
          value: event.round <= rounds && index < guards ? null : 1,
        }));
        return { ...stored, event: { ...event, findings } };
      }),
    );

  test.each([
    [0, 0, "all are content"],
    [3, 1, "all that could measure are content; [a-z ]+ could not"],
    [2, 2, "all that could measure are content; [a-z ]+, [a-z ]+ could not in some rounds"],
    [3, 99, "none could measure: all 3 had nothing to judge"],
  ])("guards that could not measure are not content: in %i rounds %i of them", (rounds, guards, said) => {
    expect(blind(rounds, guards)).toMatch(new RegExp(`^guards    ${said}$`, "m"));
  });

  test("an interval that holds 0 is no gain", () => {
    const text = words(withGain({ mean: 0.003, interval: { low: -0.005, high: 0.011 } }));
    expect(text).toContain("+0.3 points on audit items (95 % interval -0.5 to +1.1");
    expect(text).toContain("No gain is shown: the interval holds 0.");
  });

  test("an interval below 0 is a loss", () => {
    expect(words(withGain({ mean: -0.02, interval: { low: -0.03, high: -0.01 } }))).toContain(
      "The champion is worse than the base.",
    );
  });

  test("a gate that observes promoted nothing, and says so, with where its candidates went", () => {
    const text = words(plausibleRun({ observe: true }));
    expect(text).toContain("nothing was promoted, because decisions were only recorded");
    expect(text).toMatch(
      /candidate of round 8 on validation items: \d\d\.\d % right, frontier 6; the base: .*frontier 9/,
    );
    expect(text).toMatch(/^ +1 {2}would promote /m);
    expect(text).not.toMatch(/\d {2}promoted/);
    expect(text).toMatch(/label accuracy says stop in rounds 6-8/);
  });

  test("no promotion is no gain", () => {
    expect(words(plausibleRun({ rounds: 2, rejected: [1, 2] }))).toContain(
      "no round was promoted, the champion is still the base",
    );
  });

  test("a missing audit claims nothing", () => {
    const text = words(run.filter(({ event }) => event.type !== "audit-measured"));
    expect(text).toContain("not claimed: the audit of the champion against the base is missing");
    expect(text).toMatch(/on validation items\)$/m);
    expect(text).not.toContain("on audit items");
  });

  test("no rounds at all", () => {
    expect(words(plausibleRun({ rounds: 0 }))).toContain("none: no round was played");
  });
});

describe("a run that goes on", () => {
  test("says where it is, and that its gain is audited at the end", () => {
    const text = words(upTo(run, "training-finished", 5));
    expect(text).toMatch(/^reverse: in round 5 of 8, at optimize\n/);
    expect(text).toContain("champion of round 4; against the base it is audited when the run ends");
    expect(text).toMatch(/^ +5 {2}under way/m);
  });

  test("interrupted: in which round, and why", () => {
    const events = plausibleRun({ rounds: 4, interruptedIn: 2 });
    expect(words(upTo(events, "run-interrupted", 1))).toMatch(
      /^reverse: interrupted in round 2 of 4, at optimize: The run was asked to end\./,
    );
  });

  test("in its preparation; and before anything", () => {
    expect(words(run.slice(0, 3))).toBe("reverse: in its preparation, at prepare");
    expect(words([])).toBe("Nothing has happened in this run yet.");
  });

  test("ended by a cap while a promotion waits: the cap, the question, and when its answer is acted on", () => {
    const asked: StoredEvent["event"] = {
      type: "question-asked",
      round: 2,
      question: "1-promotion-2",
      about: "promotion",
      text: "promote the candidate of round 2 (better)",
      details: {},
    };
    const reason = "the budget of 12 steps is spent: 17 steps";
    const cap = { cap: "steps", limit: 12, spent: 17, keptBack: 0, reason } as const;
    const events = [asked, { type: "budget-spent", round: 2, ...cap } as const].map((event, index) => ({
      id: 9_999 + index,
      run: "r",
      at: 0,
      event,
    }));
    const text = words([...upTo(run, "round-finished", 2), ...events]);
    expect(text).toContain(`reverse: stopped in round 2 of 8: ${reason}`);
    expect(text).toMatch(
      /^waits {5}1-promotion-2 waits for a person: .*\n +whetstone approve 1-promotion-2\n/m,
    );
    expect(text).toMatch(/^ {10}The run has ended and does not wait: .* under the spent budget too\.$/m);
  });

  test("what is spent beyond a cap says why", () => {
    const spent = (tokens: number): string => {
      const cap = { cap: "tokens", limit: 1000, spent: tokens, keptBack: 0, reason: "spent" } as const;
      const event = { type: "budget-spent", round: 2, ...cap } as const;
      return words([...upTo(run, "round-finished", 2), { id: 9_999, run: "r", at: 0, event }]);
    };
    expect(spent(1000)).toMatch(/^cost .* trained; after the cap what was under way was finished$/m);
    expect(spent(1e12)).toMatch(/^cost .* trained$/m);
  });

  test("every prefix has words", () => {
    for (let cut = 0; cut <= run.length; cut++)
      expect(words(run.slice(0, cut)), `cut ${cut}`).not.toMatch(/NaN|undefined|null|Infinity/);
  });

  test("stopped by a guard", () => {
    const end: StoredEvent["event"] = {
      type: "run-finished",
      outcome: "stopped-by-guard",
      reason: "label accuracy: 31 % right",
      champion: "c",
      championRound: 0,
    };
    expect(words([...upTo(run, "round-finished", 2), { id: 9_999, run: "r", at: 0, event: end }])).toMatch(
      /^reverse: stopped by a guard in round 2 of 8: label accuracy: 31 % right/,
    );
  });
});

describe("where it is read", () => {
  test.each([40, 60, 80, 100, 160])("fits %i columns; reasons are cut last", (columns) => {
    for (const environment of [{}, { LC_ALL: "C" }])
      for (const line of closingWords(tellRun(run), { columns, environment }))
        expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    if (columns >= 80) expect(words(run, { columns })).toContain("better: +6.9 points on 720 pairs");
  });

  test("a locale without UTF-8 gets ASCII only", () => {
    expect(words(run, { environment: { LC_ALL: "C" } })).toMatch(/^[\n -~]+$/);
    expect(words(run, { environment: { LANG: "C.UTF-8" } })).toContain("≥");
  });

  test("a run of many rounds shows its last ones", () => {
    const text = words(plausibleRun({ rounds: 40 }));
    expect(text).toContain("(16 earlier rounds: see the report)");
    expect(text).toMatch(/^ +40 {2}/m);
  });

  test("escape sequences in what others wrote do not get through", () => {
    expect(words(plausibleRun({ name: "x\x1b[2Jy", rounds: 1 }))).not.toContain("\x1b");
  });
});
