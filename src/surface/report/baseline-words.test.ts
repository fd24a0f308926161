import { describe, expect, test } from "vitest";
import type { Baseline, Gain, RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { baselineLine, baselineVerdict } from "./baseline-words.ts";
import { closingWords } from "./closing-words.ts";
import { reportPage } from "./page/report-page.ts";
import { tellRun } from "./tell-run.ts";
import { terminalView } from "./terminal/terminal-view.ts";
import { plausibleRun } from "./testing/plausible-run.ts";
import { environment, heldClock, Pipe, watchAll } from "./testing/view-parts.ts";

const run = plausibleRun({});

const gain = (mean: number, margin = 0.03): Gain => ({
  mean,
  interval: { low: mean - margin, high: mean + margin },
  pairs: 500,
});

const measurement = (mean: number) => ({
  weightVersion: "w",
  split: "validation" as const,
  strata: [],
  mean,
  interval: { low: mean - 0.03, high: mean + 0.03 },
  frontier90: null,
  frontier50: null,
});

/** Accuracies of a baseline and of the run's own, from a base of .3. */
const baseline = (
  name: Baseline["baseline"],
  other: number,
  own: number,
  more: Partial<Baseline> = {},
): Baseline => ({
  baseline: name,
  mode: "short",
  text: "what was done",
  at: { round: 1, compute: 1e6, share: 0.125 },
  measured: {
    measurement: measurement(other),
    overBase: gain(other - 0.3),
    compute: 1e6,
    own: { measurement: measurement(own), overBase: gain(own - 0.3), checkpoint: "c", promoted: true },
    ahead: gain(own - other),
  },
  ...more,
});

const none: Baseline = {
  ...baseline("supervised", 0, 0),
  text: "the run has no data that no model wrote",
  measured: null,
};

describe("a verdict follows from the intervals", () => {
  test.each([
    ["permuted-rewards", 0.3, 0.6, /own gained more: its gain is from the reward/],
    ["permuted-rewards", 0.58, 0.6, /gained as much: the gain is not from the reward/],
    ["permuted-rewards", 0.31, 0.32, /neither is shown to be better than the base/],
    ["permuted-rewards", 0.32, 0.345, /no difference is shown/],
    ["permuted-rewards", 0.6, 0.4, /permuted rewards gained more/],
    ["best-of-n", 0.4, 0.6, /own is better at the same compute/],
    ["best-of-n", 0.6, 0.4, /better than the run's own at the same compute/],
    ["supervised", 0.58, 0.6, /no difference is shown/],
  ] as const)("%s at %d, the run's own at %d", (name, other, own, words) => {
    expect(baselineVerdict(baseline(name, other, own))).toMatch(words);
  });

  test("there is none where nothing was measured", () => {
    expect(baselineVerdict(none)).toBeUndefined();
    expect(baselineLine(none)).toBe(
      "supervised on external data only: none: the run has no data that no model wrote",
    );
  });
});

/** The plausible run, with events of baselines before its end, and its beginning changed. */
function withBaselines(events: readonly RunEvent[], plan?: object): StoredEvent[] {
  const told = run.map((stored) =>
    stored.event.type === "run-started" && plan !== undefined
      ? { ...stored, event: { ...stored.event, baselines: plan } as RunEvent }
      : stored,
  );
  const end = told.findIndex(({ event }) => event.type === "run-finished");
  const more = events.map((event, index) => ({
    ...(told[end - 1] as StoredEvent),
    id: (told[end - 1] as StoredEvent).id + (index + 1) / 100,
    event,
  }));
  return [...told.slice(0, end), ...more, ...told.slice(end)];
}
const measured = (one: Baseline): RunEvent => ({ type: "baseline-measured", round: 8, ...one });
const closing = (events: readonly StoredEvent[]): string => closingWords(tellRun(events)).join("\n");
const pageOf = (events: readonly StoredEvent[]): string =>
  reportPage(tellRun(events), { generatedAt: new Date(0) })
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("in the last words and the report", () => {
  const all = withBaselines(
    [
      measured(baseline("best-of-n", 0.4, 0.6)),
      measured(none),
      measured(baseline("permuted-rewards", 0.58, 0.6)),
    ],
    { mode: "short" },
  );

  test("stands each with its interval, beside the run's own, and what that says", () => {
    expect(closing(all)).toMatch(
      /^baselines on validation items, at the compute of the first round, 13 % of the run's\n +the base with many answers: 40\.0 % \(37\.0 to 43\.0\), the run's own 60\.0 % \(57\.0 to 63\.0\), \+20\.0 points: .*\n +supervised on external data only: none: .*\n +permuted rewards: .*: permuted rewards gained as much: the gain is not from the reward$/m,
    );
    const page = pageOf(all);
    expect(page).toContain("Baselines: the same compute, spent otherwise");
    expect(page).toMatch(
      /permuted rewards at the compute of the first round.* 58\.0 % \(55\.0 to 61\.0\) 60\.0 %/,
    );
    expect(page).toContain("Baselines were compared at 13 % of the run’s compute");
    expect(page).not.toContain("No baseline stands beside it");
    expect(tellRun(all).state).toBe("finished");
  });

  test("is said where the run had promoted nothing by then", () => {
    const one = baseline("best-of-n", 0.4, 0.6);
    const early = {
      ...one,
      measured: { ...one.measured, own: { ...one.measured?.own, promoted: false } },
    } as Baseline;
    expect(closing(withBaselines([measured(early)]))).toContain(
      "of the run's, when nothing was promoted yet",
    );
  });

  test("or why there are none", () => {
    const off = withBaselines([], { mode: "off", reason: "it is to be quick" });
    expect(closing(off)).toMatch(/^baselines none: it is to be quick$/m);
    expect(pageOf(off)).toContain("No baselines were measured: it is to be quick.");
    expect(pageOf(off)).toMatch(/No baseline stands beside it \(.*\): it is to be quick\. So what part/);
    const stream = new Pipe();
    using view = terminalView({ stream, environment, clock: heldClock() });
    watchAll(view, off);
    expect(stream.text).toContain("no baselines: it is to be quick\n");

    const leftOut: RunEvent = {
      type: "baselines-left-out",
      round: 8,
      mode: "short",
      reason: "the budget is spent",
    };
    expect(closing(withBaselines([leftOut], { mode: "short" }))).toMatch(
      /^baselines left out: the budget is spent$/m,
    );
    const part = withBaselines([measured(baseline("best-of-n", 0.4, 0.6)), leftOut]);
    expect(closing(part)).toContain("the others were left out, after 1 baseline: the budget is spent");
  });

  test("nothing is said of runs of before there were any", () => {
    expect(closing(run)).not.toContain("baselines");
    expect(pageOf(run)).not.toContain("the same compute, spent otherwise");
  });
});
