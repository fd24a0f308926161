import { expect, test } from "vitest";
import type { Progress } from "../../foundation/contract/index.ts";
import { standingWords } from "./standing-words.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const run = plausibleRun({ rounds: 3, interruptedIn: 2 });
/** Up to the first event that is like that, it included. */
const upTo = (type: string, nth = 0) => {
  const places = run.flatMap(({ event }, index) => (event.type === type ? [index] : []));
  return run.slice(0, (places[nth] ?? Number.NaN) + 1);
};

const nothing = { parts: [], progress: null };

test("whoever joins a run hears round, stage, for how long, and what of it is done", () => {
  const events = upTo("stage-started");
  const now = (events.at(-1)?.at ?? 0) + 75_000;
  expect(standingWords(tellRun(events), { parts: ["solver: 500 steps"], progress: null }, now)).toBe(
    "In the preparation, at prepare (1500 steps on demonstrations) for 1 min 15 s; done in it: solver: 500 steps.",
  );
  const optimizing = run.slice(
    0,
    run.findIndex(({ event }) => event.type === "training-finished"),
  );
  expect(standingWords(tellRun(optimizing), nothing, optimizing.at(-1)?.at ?? 0)).toMatch(
    /^In round 1 of 3, at optimize \(rejection-sampling\) for [\d.]+ s\.$/,
  );
});

test("whoever joins hears what is done at the moment", () => {
  const events = upTo("stage-started");
  const progress = { type: "progress", stage: "prepare", label: "train", done: 1234, total: 1500 } as const;
  const words = (heard: Progress) => standingWords(tellRun(events), { parts: [], progress: heard }, 0);
  expect(words(progress)).toMatch(/ for 0 s; now: train, 1,234 of 1,500\.$/);
  expect(words({ ...progress, done: 0, total: 0 })).toMatch(/; now: train\.$/);
});

test("a stage that went on after an interruption is told from there", () => {
  const events = upTo("run-resumed");
  const now = (events.at(-1)?.at ?? 0) + 3_000;
  expect(standingWords(tellRun(events), nothing, now)).toBe(
    "In round 2 of 3, at optimize (rejection-sampling) for 3.0 s.",
  );
});

test("between stages, and after the end, there is nothing to say", () => {
  expect(standingWords(tellRun([]), nothing, 0)).toBeUndefined();
  expect(standingWords(tellRun(run), nothing, 0)).toBeUndefined();
  expect(standingWords(tellRun(upTo("stage-finished")), nothing, 0)).toBeUndefined();
});
