import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GuardFinding, StoredEvent } from "../../foundation/contract/index.ts";
import { defaults } from "../../lifecycle/guard/index.ts";
import { decide } from "../../loop/gate.ts";
import { closingWords } from "./closing-words.ts";
import { guardAdvice } from "./guard-advice.ts";
import { guardVerdict } from "./guard-verdict.ts";
import { reportPage } from "./page/report-page.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

const finding = (guard: string, answer: GuardFinding["answer"]): GuardFinding => ({
  guard,
  answer,
  evidence: `${guard} saw it`,
  value: 1,
  threshold: 0,
});

interface Acted {
  /** What guards say beside what they said anyway, by round. */
  readonly said: Readonly<Record<number, readonly GuardFinding[]>>;
  readonly decision: "reject" | "roll-back";
  readonly stopped?: boolean;
  readonly acted?: boolean;
}

/** A made-up run of three rounds in whose rounds guards act. */
function actedRun({ said, decision, stopped = false, acted = true }: Acted): StoredEvent[] {
  const rounds = Object.keys(said).map(Number);
  return plausibleRun({ rounds: 3, rejected: rounds }).map((stored): StoredEvent => {
    const { event } = stored;
    if (event.type === "guards-spoke" && said[event.round] !== undefined)
      return { ...stored, event: { ...event, findings: [...event.findings, ...(said[event.round] ?? [])] } };
    if (event.type === "decision-made" && said[event.round] !== undefined)
      return { ...stored, event: { ...event, decision: { ...event.decision, decision, acted } } };
    if (event.type === "run-finished" && stopped)
      return { ...stored, event: { ...event, outcome: "stopped-by-guard", reason: "it was" } };
    return stored;
  });
}

const verdict = (events: readonly StoredEvent[]): Record<string, string> =>
  Object.fromEntries(guardVerdict(tellRun(events)));

describe("where a guard stopped the run", () => {
  const events = actedRun({
    said: { 3: [finding("label accuracy", "stop"), finding("item identity", "stop")] },
    decision: "reject",
    stopped: true,
  });

  test("it says what was wrong, who found it, what was done and what to do", () => {
    expect(verdict(events)).toEqual({
      wrong: guardAdvice["item identity"]?.wrong,
      "found by": "the guard “item identity”, in round 3; also by “label accuracy”",
      done: "The run was stopped in round 3, and the round was not promoted. The champion is that of round 2.",
      "to do": `${guardAdvice["item identity"]?.toDo} Any change to the config then starts a new run.`,
    });
  });

  test("these are the last lines of the run, below the report", () => {
    const lines = closingWords(tellRun(events), { report: "report.html" });
    const from = lines.findIndex((line) => line.startsWith("report"));
    expect(lines[from + 1]).toBe("");
    expect(lines.slice(from + 2).map((line) => line.slice(0, 10).trim())).toEqual([
      "wrong",
      "found by",
      "done",
      "to do",
    ]);
  });

  test("the report has the same lines at its top, and whoever says who stopped it names one guard", () => {
    const story = tellRun(events);
    const page = reportPage(story, { generatedAt: new Date(0) }).replaceAll("&#39;", "'");
    const top = page.slice(page.indexOf('<main id="main">'), page.indexOf('<section class="hero'));
    for (const [name, text] of guardVerdict(story)) {
      expect(top.toLowerCase()).toContain(`<dt>${name}</dt>`);
      expect(top).toContain(`<dd>${text}</dd>`);
    }
    const stopped = "item identity: item identity saw it; also “label accuracy”";
    expect(top).toContain(`Stopped by a guard in round 3 of 3: ${stopped}`);
    expect(closingWords(story)[0]).toBe(`reverse: stopped by a guard in round 3 of 3: ${stopped}`);
    const { findings } = story.rounds[2]!;
    expect(decide({ opening: null, findings: [...findings], observe: false }).reason).toBe(
      "guard “item identity”: item identity saw it; also “label accuracy”",
    );
  });

  test("that nothing was learnt is said where nothing was", () => {
    const blocked = events.map((stored): StoredEvent => {
      const { event } = stored;
      if (event.type !== "training-finished" || event.round !== 3) return stored;
      return { ...stored, event: { ...event, evidence: { ...event.evidence, tokensTrained: 0 } } };
    });
    expect(verdict(blocked).done).toMatch(/^Nothing was learnt from it\. The run was stopped in round 3/);
  });
});

describe("where a guard took rounds back", () => {
  const rolledBack = finding("diversity collapse", "roll-back");

  test("it says which, and what the run does otherwise since", () => {
    const events = actedRun({ said: { 1: [rolledBack], 2: [rolledBack] }, decision: "roll-back" });
    const remedied = events.flatMap((stored): StoredEvent[] =>
      stored.event.type === "round-started" && stored.event.round === 3
        ? [
            stored,
            {
              ...stored,
              id: stored.id + 0.5,
              event: { type: "remedies-applied", round: 3, learningRate: 1, realData: 2 },
            },
          ]
        : [stored],
    );
    expect(verdict(remedied)).toEqual({
      wrong: guardAdvice["diversity collapse"]?.wrong,
      "found by": "the guard “diversity collapse”, in rounds 1 and 2",
      done: "Rounds 1 and 2 were taken back: their weights were given up. Since then the run learns from 2 times as much real data. The champion is that of round 3.",
      "to do": guardAdvice["diversity collapse"]?.toDo,
    });
  });

  test("one round is told as one", () => {
    expect(verdict(actedRun({ said: { 3: [rolledBack] }, decision: "roll-back" })).done).toBe(
      "Round 3 was taken back: its weights were given up. The champion is that of round 2.",
    );
  });
});

test("a guard of somebody else is told by its evidence", () => {
  const said = { 3: [finding("my own", "stop")] };
  expect(verdict(actedRun({ said, decision: "reject", stopped: true }))).toMatchObject({
    wrong: "my own saw it.",
    "to do": expect.stringContaining("in the report"),
  });
});

test("nothing is said where guards warned, where none acted, and where the gate observes", () => {
  const stop = { 3: [finding("item identity", "stop")] };
  expect(guardVerdict(tellRun(plausibleRun({ warned: [2] })))).toEqual([]);
  expect(guardVerdict(tellRun(actedRun({ said: stop, decision: "reject", acted: false })))).toEqual([]);
});

test("docs/guards.md has the last words of the demo's faults as they appear", async () => {
  const page = await readFile(join(import.meta.dirname, "../../../docs/guards.md"), "utf8");
  for (const guard of [
    "verifier integrity",
    "sampler freshness",
    "item identity",
    "majority lock-in",
    "diversity collapse",
  ]) {
    expect(page).toContain(guardAdvice[guard]?.wrong);
    expect(page).toContain(guardAdvice[guard]?.toDo);
  }
});

test("there is advice for each guard that acts by default, and for no other", () => {
  const acting = defaults().filter(({ name }) => name !== "length drift" && name !== "real-data floor");
  expect(Object.keys(guardAdvice).toSorted()).toEqual(acting.map(({ name }) => name).toSorted());
});
