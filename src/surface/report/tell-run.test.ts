import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { limitsOf } from "./page/limits-section.ts";
import { storyListener, tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const cutBefore = (events: readonly StoredEvent[], isThere: (event: StoredEvent["event"]) => boolean) =>
  events.slice(
    0,
    events.findIndex(({ event }) => isThere(event)),
  );

test("a certificate belongs to its round, and opening its results does not begin the run again", () => {
  const events = plausibleRun({ rounds: 2 });
  const last = events.at(-1);
  const after = (id: number, event: StoredEvent["event"]): StoredEvent => ({
    id: (last?.id ?? 0) + id,
    run: last?.run ?? "",
    at: (last?.at ?? 0) + id,
    event,
  });
  const story = tellRun([
    ...events,
    after(1, {
      type: "certificate-opened",
      round: 1,
      items: "x@1",
      opening: 1,
      reason: "a reviewer asked",
      by: "person",
    }),
  ]);
  expect(story.state).toBe("finished");
  expect(story.opened).toEqual([
    { round: 1, at: (last?.at ?? 0) + 1, opening: 1, reason: "a reviewer asked" },
  ]);
  expect(limitsOf(story)).toContain(
    "A person looked at the sealed results of opening 1 (round 1: a reviewer asked): what later openings on these items promote is not bounded any more.",
  );
  const made: StoredEvent["event"] = {
    type: "certificate-made",
    round: 1,
    certificate: "c0ffee",
    hash: "feed",
    audits: [],
  };
  expect(tellRun([...events, after(1, made)]).rounds.map(({ certificate }) => certificate)).toEqual([
    "feed",
    null,
  ]);
});

describe("a finished run", () => {
  const events = plausibleRun({ rounds: 8, rejected: [3, 6], warned: [4] });
  const story = tellRun(events);

  test("has its facts, its rounds and its end", () => {
    expect(story.facts).toMatchObject({ name: "reverse", rounds: 8, unit: "length", growTo: 16 });
    expect(story.preparation?.validation?.frontier90).toBe(9);
    expect(story.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(story.state).toBe("finished");
    expect(story.current).toBeNull();
  });

  test("knows which rounds were promoted, and the champion", () => {
    expect(story.rounds.filter(({ promoted }) => promoted).map(({ round }) => round)).toEqual([
      1, 2, 4, 5, 7, 8,
    ]);
    expect(story.champion).toEqual({ round: 8, checkpoint: "1-reverse/round-8-lead-final" });
    expect(story.rounds[2]).toMatchObject({ promoted: false, audit: null, decision: { decision: "reject" } });
    expect(story.rounds[0]?.audit?.gain.pairs).toBe(270);
  });

  test("claims the gain of champion against base on audit items, and its frontier", () => {
    expect(story.audit).toMatchObject({ round: 8, championRound: 8 });
    expect(story.gain).toEqual(story.audit?.gain);
    expect(story.frontier).toEqual({
      before: story.audit?.before.frontier90,
      after: story.audit?.after.frontier90,
      split: "audit",
    });
  });

  test("gives each round what it alone cost; together they are the run's, less the last audit", () => {
    const spent = [story.preparation, ...story.rounds].map(
      (round) => round?.spent?.wallSeconds ?? Number.NaN,
    );
    expect(spent.every((seconds) => seconds > 0)).toBe(true);
    const sum = spent.reduce((total, seconds) => total + seconds, 0);
    expect(sum).toBeCloseTo((story.cost?.wallSeconds ?? 0) - 3.1, 6);
  });

  test("counts what an interruption cut off to the round that it cut", () => {
    const [whole, cut] = [undefined, 4].map((interruptedIn) =>
      tellRun(plausibleRun({ rounds: 5, ...(interruptedIn === undefined ? {} : { interruptedIn }) })),
    );
    const seconds = (story: typeof whole, round: number) => story!.rounds[round - 1]!.spent!.wallSeconds;
    expect(seconds(cut, 4)).toBeCloseTo(seconds(whole, 4) + 4, 6);
    expect(seconds(cut, 3)).toBeCloseTo(seconds(whole, 3), 6);
  });

  test("keeps two stages of one name apart: the last promotion's audit and the run's", () => {
    const audits = story.rounds.at(-1)?.stages.filter(({ stage }) => stage === "audit");
    expect(audits?.map(({ label }) => label)).toEqual(["new champion against old", "champion against base"]);
    expect(audits?.every(({ seconds }) => seconds !== null)).toBe(true);
  });

  test("is plain JSON", () => {
    expect(JSON.parse(JSON.stringify(story))).toEqual(story);
  });
});

describe("parts of a run", () => {
  const events = plausibleRun({ rounds: 3, rejected: [2], interruptedIn: 2 });

  test("every prefix and every suffix tells a story", () => {
    for (let cut = 0; cut <= events.length; cut++) {
      expect(() => tellRun(events.slice(0, cut))).not.toThrow();
      expect(() => tellRun(events.slice(cut))).not.toThrow();
    }
    expect(tellRun([])).toMatchObject({
      run: "",
      facts: null,
      state: "empty",
      rounds: [],
      preparation: null,
    });
    expect(tellRun(events.slice(40))).toMatchObject({ run: "1-reverse", facts: null, state: "finished" });
  });

  test("order and repetition change nothing", () => {
    const shuffled = randomStream(1, "order").shuffle([...events, ...events.slice(10, 30)]);
    expect(tellRun(shuffled)).toEqual(tellRun(events));
  });

  test("killed in a stage: the run goes on, and the stage is named", () => {
    const story = tellRun(cutBefore(events, ({ type }) => type === "training-finished"));
    expect(story).toMatchObject({
      state: "running",
      current: { round: 1, stage: "optimize", label: "rejection-sampling" },
    });
  });

  test("between stages nothing is current", () => {
    const finished = events.findIndex(
      ({ event }) => event.type === "stage-finished" && event.stage === "select",
    );
    expect(tellRun(events.slice(0, finished + 1)).current).toBeNull();
  });

  test("interrupted, then going on", () => {
    const upTo = events.findIndex(({ event }) => event.type === "run-interrupted");
    const interrupted = tellRun(events.slice(0, upTo + 1));
    expect(interrupted).toMatchObject({ state: "interrupted", current: { stage: "optimize" } });
    expect(interrupted.reason).toMatch(/asked to end/);
    expect(tellRun(events.slice(0, upTo + 2))).toMatchObject({
      state: "running",
      reason: null,
      stop: null,
      interruptions: [{ round: 2 }],
      resumptions: [{ round: 2 }],
    });
  });

  test("an interruption makes no round of its own", () => {
    const [first] = events;
    const lone: StoredEvent = {
      id: 2,
      run: "r",
      at: 1,
      event: { type: "run-interrupted", round: 7, reason: "x" },
    };
    expect(tellRun([first!, lone]).rounds).toEqual([]);
  });
});

test("a finished run that is given more rounds is running again, and its claim stays with its round", () => {
  const events = plausibleRun({ rounds: 2, rejected: [] });
  const next = events.length + 1;
  const more: StoredEvent[] = [
    {
      id: next,
      run: "r",
      at: 0,
      event: { type: "run-resumed", run: "r", round: 2, rounds: 5, processId: 1 },
    },
    { id: next + 1, run: "r", at: 0, event: { type: "candidate-promoted", round: 3, checkpoint: "r/3" } },
  ];
  const story = tellRun([...events, ...more]);
  expect(story.state).toBe("running");
  expect(story.facts?.rounds).toBe(5);
  expect(story.champion.round).toBe(3);
  expect(story.audit?.championRound).toBe(2);
});

test("a run that only observes promotes nobody and claims nothing", () => {
  const story = tellRun(plausibleRun({ observe: true, rounds: 4 }));
  expect(story).toMatchObject({
    champion: { round: 0, checkpoint: "1-reverse/round-0-lead-1500" },
    gain: null,
  });
  expect(story.frontier?.split).toBe("validation");
  expect(story.rounds.some(({ decision }) => decision?.decision === "promote" && !decision.acted)).toBe(true);
});

test("a story once told stays as it is", () => {
  const events = plausibleRun({ rounds: 1 });
  const listener = storyListener();
  for (const event of events.slice(0, 12)) listener.hear(event);
  const early = listener.story();
  const copy = structuredClone(early);
  for (const event of events.slice(12)) listener.hear(event);
  expect(early).toEqual(copy);
  expect(listener.story()).not.toEqual(copy);
});

test("evidence that is not a number is not known", () => {
  const event = (evidence: Record<string, unknown>): StoredEvent => ({
    id: 1,
    run: "r",
    at: 0,
    event: { type: "training-finished", round: 1, checkpoint: "r/1", evidence },
  });
  expect(tellRun([event({ rollouts: 5, rawLabelAccuracy: null, kept: "many" })]).rounds[0]?.training).toEqual(
    {
      rollouts: 5,
      kept: null,
      rawLabelAccuracy: null,
      keptLabelAccuracy: null,
      tokensTrained: null,
      realShare: null,
    },
  );
});
