import { expect, test } from "vitest";
import type { RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { closingWords } from "./closing-words.ts";
import { reportPage } from "./page/report-page.ts";
import { championBefore } from "./story-parts.ts";
import { storyListener, tellRun } from "./tell-run.ts";
import { asciiGlyphs } from "./terminal/glyphs.ts";
import { linesFor } from "./terminal/sayings.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const run = plausibleRun({ rounds: 5, rejected: [3] });
const checkpointOf = (round: number): string =>
  run.flatMap(({ event }) =>
    event.type === "candidate-promoted" && event.round === round ? [event.checkpoint] : [],
  )[0] ?? "base";
const back = (round: number, from: number, to: number, reason = ""): RunEvent => ({
  type: "champion-rolled-back",
  round,
  from: { round: from, checkpoint: checkpointOf(from) },
  to: { round: to, checkpoint: checkpointOf(to) },
  reason,
  by: "person",
});
const then = (events: readonly StoredEvent[], ...more: readonly RunEvent[]): StoredEvent[] => [
  ...events,
  ...more.map((event, index) => ({ id: 10_000 + index, run: "1-reverse", at: 1, event })),
];
const duringRound = (round: number): StoredEvent[] =>
  run.slice(0, 1 + run.findIndex(({ event }) => event.type === "training-finished" && event.round === round));

test("a finished run stays finished; its champion is another, and its claim is gone", () => {
  const story = tellRun(then(run, back(5, 5, 2, "it forgets")));
  expect(story).toMatchObject({ state: "finished", champion: { round: 2 }, audit: null, gain: null });
  expect(story.rollbacks).toEqual([{ round: 5, at: 1, from: 5, to: 2, reason: "it forgets" }]);
  const words = closingWords(story).join("\n");
  expect(words).toContain(
    "gain      not claimed: the champion is that of round 2, to which a person went back",
  );
  expect(words).toContain(
    "rollback  after round 5: a person took the champion back from round 5 to round 2 (it forgets)",
  );
  const page = reportPage(story, { generatedAt: new Date(0), definitions: [], configuration: null });
  expect(page).toContain(
    "after round 5 a person took the champion back from round 5 to round 2 (it forgets)",
  );
});

test("an audit of the champion that was gone back to counts again", () => {
  const audit = run.flatMap(({ event }) =>
    event.type === "audit-measured" && event.comparison === "base" ? [event] : [],
  )[0];
  if (audit === undefined) throw new Error("the run was not audited");
  const checkpoint = audit.after.weightVersion;
  const away = back(5, 5, 2);
  const home: RunEvent = {
    ...(back(5, 2, 5) as Extract<RunEvent, { type: "champion-rolled-back" }>),
    to: { round: 5, checkpoint },
  };
  expect(tellRun(then(run, away, home)).gain).toEqual(audit.gain);
});

test("to the base no gain is claimed, and the reason is a person's choice", () => {
  const words = closingWords(tellRun(then(run, back(5, 5, 0)))).join("\n");
  expect(words).toContain("gain      none: a person took the champion back to the base");
  expect(words).toContain("from round 5 to the base\n");
});

test("a round that was under way is given up, and nothing is going on in it", () => {
  const story = tellRun(then(duringRound(4), back(4, 2, 1)));
  expect(story.rounds.map(({ round, givenUp }) => [round, givenUp])).toEqual([
    [1, false],
    [2, false],
    [3, false],
    [4, true],
  ]);
  expect(story.current).toBeNull();
  expect(closingWords(story).join("\n")).toMatch(/^ +4 {2}given up/m);
});

test("what a later round started from is the champion of that time", () => {
  const story = tellRun(then(run, back(2, 2, 1), back(4, 4, 2), back(4, 2, 1)));
  expect([1, 2, 3, 4, 5, 6].map((round) => championBefore(story, round))).toEqual([0, 1, 1, 1, 1, 5]);
});

test("whoever watches is told in one line", () => {
  const listener = storyListener();
  for (const event of run) listener.hear(event);
  const [rollback] = then([], back(5, 5, 2)) as [StoredEvent];
  listener.hear(rollback);
  const pen = { glyphs: asciiGlyphs, colours: 0 } as const;
  const lines = linesFor(rollback, listener.story(), { pen, width: 80, detail: "rounds" });
  expect(lines.map((line) => line.map(({ text }) => text).join(""))).toEqual([
    "a person took the champion back from round 5 to round 2",
  ]);
});
