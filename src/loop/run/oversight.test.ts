import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { EventOf, RunEventType, StoredEvent } from "../../foundation/contract/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { type Question, type RunOptions, type RunResult, run } from "../run.ts";
import { type AnswerOptions, answerQuestion, openQuestions } from "./answer-question.ts";
import type { BudgetChange } from "./budget.ts";
import { checkCertificate, findCertificate } from "./check-certificate.ts";
import type { RunConfig } from "./config.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";

// Several runs a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), "oversight-"));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, "run-"));
});

type Say = Pick<AnswerOptions, "answer" | "why">;
const asks = (...ask: NonNullable<NonNullable<RunConfig["oversight"]>["ask"]>) => ({ oversight: { ask } });
const eventsOf = <T extends RunEventType>(events: readonly StoredEvent[], type: T): EventOf<T>[] =>
  events.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
const typesOf = ({ events }: RunResult): string[] => events.map(({ event }) => event.type);

/** Plays a run; a person answers each question as soon as it waits, as told, or ends the run. */
async function play(
  rounds: number,
  rest: Partial<RunConfig>,
  say: (question: Question) => Say | "end",
  options: Pick<RunOptions, "budget" | "watch"> = {},
): Promise<RunResult> {
  const controller = new AbortController();
  const answering: Promise<unknown>[] = [];
  const onQuestion = (question: Question): void => {
    const said = say(question);
    if (said === "end") controller.abort(new Error("enough"));
    else answering.push(answerQuestion({ folder, question: question.id, ...said }));
  };
  const result = await run(promotingRun(rounds, rest), {
    folder,
    onQuestion,
    signal: controller.signal,
    ...options,
  });
  await Promise.all(answering);
  return result;
}
const nobody = (): never => {
  throw new Error("nobody was to be asked");
};
const approve = (): Say => ({ answer: "approve" });

describe("a promotion that a person is asked", () => {
  test("is made once it is approved, and audited no earlier", async () => {
    const asked: Question[] = [];
    const result = await play(2, asks("promotion"), (question) => {
      asked.push(question);
      return { answer: "approve", why: "it says the right thing" };
    });
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 2 });
    expect(asked.map(({ id }) => id)).toEqual(["1-promotion-1", "1-promotion-2"]);
    expect(asked[0]).toMatchObject({ round: 1, about: "promotion", answer: null });
    expect(asked[0]?.text).toMatch(/^promote the candidate of round 1 \(better: \+/);
    const types = typesOf(result);
    const first = (type: RunEventType): number => types.indexOf(type);
    expect(first("question-asked")).toBeGreaterThan(first("decision-made"));
    expect(first("question-answered")).toBeGreaterThan(first("question-asked"));
    expect(first("candidate-promoted")).toBeGreaterThan(first("question-answered"));
    expect(first("audit-measured")).toBeGreaterThan(first("candidate-promoted"));
    const decisions = eventsOf(result.events, "decision-made").filter(({ round }) => round === 1);
    expect(decisions.map(({ decision, seed }) => [decision.decision, decision.acted, seed])).toEqual([
      ["ask", false, decisions[0]?.seed],
      ["promote", true, decisions[0]?.seed],
    ]);
    expect(decisions[1]?.decision.reason).toMatch(
      /^better: .*; a person approved it: it says the right thing$/,
    );
    expect(eventsOf(result.events, "question-answered")[0]).toEqual({
      type: "question-answered",
      round: 1,
      question: "1-promotion-1",
      answer: "approve",
      why: "it says the right thing",
      by: userInfo().username,
    });
    expect(openQuestions({ folder })).toEqual([]);
    expect(readdirSync(join(folder, ".whetstone", "answers"))).toEqual([]);
  });

  test("comes to what it would have come to unasked, and to nothing else", async () => {
    const asked = await play(2, asks("promotion"), approve);
    folder = mkdtempSync(join(root, "run-"));
    const unasked = await play(2, {}, nobody);
    const weights = ({ events }: RunResult) =>
      eventsOf(events, "validation-measured").map(({ measurement }) => measurement);
    expect(weights(asked)).toEqual(weights(unasked));
    expect(asked.gain).toEqual(unasked.gain);
  });

  test("is a rejection like any other once it is rejected", async () => {
    const result = await play(2, asks("promotion"), ({ round }) =>
      round === 1 ? { answer: "reject", why: "it forgets dates" } : { answer: "approve" },
    );
    expect(result.championRound).toBe(2);
    const decision = eventsOf(result.events, "decision-made").filter(({ round }) => round === 1)[1]?.decision;
    expect(decision).toMatchObject({ decision: "reject", acted: true });
    expect(decision?.reason).toMatch(/^a person rejected it: it forgets dates \(the gate said better: /);
    expect(eventsOf(result.events, "candidate-rejected").map(({ round }) => round)).toEqual([1]);
    expect(eventsOf(result.events, "candidate-promoted").map(({ round }) => round)).toEqual([2]);
    // The next round goes on from the candidate, as after the gate's own rejection.
    expect(eventsOf(result.events, "round-started")[1]).toMatchObject({ round: 2, startFrom: "candidate" });
    const audits = eventsOf(result.events, "audit-measured").filter(({ round }) => round === 1);
    expect(audits).toEqual([]);
    // What left the gate, to the person, is its bit, whatever they answered.
    const { certificate, path } = await findCertificate(folder, { round: 2 });
    expect(certificate.decided.history).toMatchObject([
      { opening: 1, round: 1, promoted: true, heldBack: "person" },
    ]);
    expect(await checkCertificate({ file: path })).toMatchObject({ verdict: "holds" });
  });

  test("waits over the end of its process, and is answered while nobody runs", async () => {
    const ended = await play(1, asks("promotion"), () => "end");
    expect(ended.outcome).toBe("interrupted");
    expect(typesOf(ended)).not.toContain("audit-measured");
    expect(openQuestions({ folder })).toMatchObject([{ id: "1-promotion-1", answer: null }]);
    // Asked once, however often it is waited for, and whatever the config says by now.
    const again = await play(1, asks("budget"), ({ id }) => {
      expect(id).toBe("1-promotion-1");
      return "end";
    });
    expect(eventsOf(again.events, "question-asked")).toHaveLength(1);

    const answered = await answerQuestion({ folder, question: "1-promotion-1", answer: "approve" });
    expect(answered).toMatchObject({ run: "1-letters", running: false, answer: { answer: "approve" } });
    expect(openQuestions({ folder })).toEqual([]);
    expect(readdirSync(join(folder, ".whetstone", "answers"))).toEqual([]);
    const result = await play(1, asks("promotion"), nobody);
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 1 });
    expect(eventsOf(result.events, "question-answered")).toHaveLength(1);
  });

  test("an answer that was left by a process that died before anybody took it in is taken in", async () => {
    await play(1, asks("promotion"), () => "end");
    const left = { question: "1-promotion-1", answer: "reject", why: "no", by: "anna" };
    const path = join(folder, ".whetstone", "answers", "1-promotion-1.json");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(left));
    expect(openQuestions({ folder })).toEqual([]);
    const result = await play(1, asks("promotion"), nobody);
    expect(result.championRound).toBe(0);
    expect(eventsOf(result.events, "question-answered")).toMatchObject([{ by: "anna", why: "no" }]);
    expect(existsSync(path)).toBe(false);
  });

  test("is answered once, by its name", async () => {
    await expect(
      answerQuestion({ folder, question: "1-promotion-1", answer: "approve" }),
    ).rejects.toMatchObject({ code: "no-run" });
    await play(1, asks("promotion"), () => "end");
    const answer = (question: string) => answerQuestion({ folder, question, answer: "approve" });
    await expect(answer("1-promotion-2")).rejects.toMatchObject({
      code: "no-question",
      message: "There is no question 1-promotion-2 here; did you mean 1-promotion-1?",
    });
    await expect(answer("../../etc")).rejects.toMatchObject({
      code: "no-question",
      message: "There is no question ../../etc here; those that wait are 1-promotion-1.",
    });
    await answer("1-promotion-1");
    await expect(answer("1-promotion-1")).rejects.toMatchObject({
      code: "question-answered",
      message: expect.stringContaining("an answer is for good"),
    });
    await expect(answer("1-promotion-9")).rejects.toThrow(/no question is open/);
  });

  test("is no question any more once a person has taken the champion back", async () => {
    await play(1, {}, nobody);
    const waiting = await play(2, asks("promotion"), () => "end");
    expect(waiting.outcome).toBe("interrupted");
    expect(openQuestions({ folder })).toHaveLength(1);
    await rollback({ folder, to: "base" });
    expect(openQuestions({ folder })).toEqual([]);
    const late = answerQuestion({ folder, question: "1-promotion-2", answer: "approve" });
    await expect(late).rejects.toMatchObject({ code: "no-question" });
    await expect(late).rejects.toThrow(
      /any more: the champion that it was compared with is the champion no longer/,
    );
    // Round 2 is given up, and the third is another.
    const result = await play(3, asks("promotion"), ({ round }) => {
      expect(round).toBe(3);
      return { answer: "approve" };
    });
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 3 });
  });

  test("is not asked where the gate only observes, or says no", async () => {
    const observed = await play(1, { ...asks("promotion"), gate: { mode: "observe" } }, nobody);
    expect(eventsOf(observed.events, "decision-made")[0]?.decision.acted).toBe(false);
    folder = mkdtempSync(join(root, "run-"));
    const refused = await play(1, { ...asks("promotion"), gate: { cap: 10 } }, nobody);
    expect(eventsOf(refused.events, "candidate-rejected")).toHaveLength(1);
  });
});

describe("more budget than was approved", () => {
  const raise = (budget: BudgetChange, say: (question: Question) => Say | "end") =>
    play(1, asks("budget"), say, { budget });

  test("is asked for before anything is done with it, and goes on when it is approved", async () => {
    await play(1, asks("budget"), nobody);
    const raised = await raise({ rounds: 2 }, ({ id, about, text }) => {
      expect([id, about, text]).toEqual([
        "1-budget-1",
        "budget",
        "raise the budget of “letters” from 1 round to 2 rounds",
      ]);
      return { answer: "approve", why: "until Friday" };
    });
    expect(raised).toMatchObject({ outcome: "rounds-spent", championRound: 2 });
    // What was approved needs no other question, and less neither; more does.
    expect((await raise({ rounds: 2 }, nobody)).alreadyFinished).toBe(true);
    expect((await raise({ rounds: 1 }, nobody)).alreadyFinished).toBe(true);
    const more = await raise({ rounds: 3 }, ({ id }) => {
      expect(id).toBe("1-budget-2");
      return "end";
    });
    expect(more.outcome).toBe("interrupted");
    expect(eventsOf(more.events, "round-started")).toHaveLength(2);
  });

  test("that is rejected is not spent, and asked for anew only by who gives it once more", async () => {
    await play(1, asks("budget"), nobody);
    const rejected = await raise({ rounds: 4 }, () => ({ answer: "reject", why: "enough" }));
    expect(rejected).toMatchObject({ outcome: "rounds-spent", championRound: 1, alreadyFinished: true });
    expect(eventsOf(rejected.events, "round-started")).toHaveLength(1);
    // A config that still says it asks nothing.
    expect((await play(4, asks("budget"), nobody)).alreadyFinished).toBe(true);
    const other = await raise({ rounds: 2 }, ({ id }) => {
      expect(id).toBe("1-budget-2");
      return approve();
    });
    expect(other.championRound).toBe(2);
    const anew = await raise({ rounds: 4 }, ({ id, text }) => {
      expect([id, text]).toEqual(["1-budget-3", "raise the budget of “letters” from 2 rounds to 4 rounds"]);
      return "end";
    });
    expect(anew.outcome).toBe("interrupted");
    // It waits: the same is not asked twice.
    const waiting = await raise({ rounds: 4 }, ({ id }) => {
      expect(id).toBe("1-budget-3");
      return { answer: "reject", why: "still enough" };
    });
    expect(waiting).toMatchObject({ alreadyFinished: true, championRound: 2 });
  });

  test("that is rejected while nobody runs is heard before it can be asked for anew", async () => {
    await play(1, asks("budget"), nobody);
    expect((await raise({ rounds: 2 }, () => "end")).outcome).toBe("interrupted");
    await answerQuestion({ folder, question: "1-budget-1", answer: "reject", why: "enough" });
    expect((await raise({ rounds: 2 }, nobody)).alreadyFinished).toBe(true);
    const anew = await raise({ rounds: 2 }, ({ id }) => {
      expect(id).toBe("1-budget-2");
      return approve();
    });
    expect(anew.championRound).toBe(2);
  });

  test("that was approved too late for the process that asked is known to the next", async () => {
    await play(1, asks("budget"), nobody);
    expect((await raise({ rounds: 2 }, () => "end")).outcome).toBe("interrupted");
    const left = { question: "1-budget-1", answer: "approve", why: "", by: "anna" };
    mkdirSync(join(folder, ".whetstone", "answers"), { recursive: true });
    writeFileSync(join(folder, ".whetstone", "answers", "1-budget-1.json"), JSON.stringify(left));
    const same = await play(1, asks("budget"), nobody);
    expect(same.alreadyFinished).toBe(true);
    expect(eventsOf(same.events, "question-answered")).toMatchObject([{ by: "anna" }]);
    expect((await raise({ rounds: 2 }, nobody)).championRound).toBe(2);
  });

  test("is what was given while nobody asked", async () => {
    await play(1, {}, nobody);
    await play(1, {}, nobody, { budget: { rounds: 2 } });
    expect((await raise({ rounds: 2 }, nobody)).alreadyFinished).toBe(true);
    expect((await raise({ rounds: 3 }, () => "end")).outcome).toBe("interrupted");
  });
});

describe("a source of data that a line of runs did not have", () => {
  const sourced = (options: Partial<RunConfig> = {}) => ({ ...asks("new-source"), ...options });
  const fixed = {
    acquire: [demonstrations({ items: 16 }), procedural({ difficulty: "frontier + 1" as const })],
  };

  test("is asked for on the record of the run before, and begins a run when it is approved", async () => {
    await play(1, sourced(), nobody);
    const waiting = await play(1, sourced(fixed), ({ id, details }) => {
      expect(id).toBe("1-new-source-1");
      expect(details.sources).toEqual(["procedural (difficulty: frontier + 1)"]);
      return "end";
    });
    expect(waiting).toMatchObject({ run: "1-letters", outcome: "interrupted" });
    const result = await play(1, sourced(fixed), approve);
    expect(result).toMatchObject({ run: "2-letters", outcome: "rounds-spent" });
    expect(typesOf(result)).not.toContain("question-asked");
    // It is known from now on.
    const later = await play(1, sourced({ ...fixed, seed: 5 }), nobody);
    expect(later.run).toBe("3-letters");
  });

  test("that is rejected begins nothing", async () => {
    await play(1, sourced(), nobody);
    const rejected = play(1, sourced(fixed), () => ({ answer: "reject", why: "not ours" }));
    await expect(rejected).rejects.toMatchObject({
      code: "source-rejected",
      message: expect.stringMatching(/^A person has rejected a new source of data \(not ours\): procedural/),
    });
    await expect(play(1, sourced(fixed), nobody)).rejects.toMatchObject({ code: "source-rejected" });
    expect((await play(1, sourced(), nobody)).alreadyFinished).toBe(true);
  });

  test("is none where only amounts differ, and none in a folder without runs", async () => {
    await play(1, sourced(fixed), nobody);
    const more = {
      acquire: [demonstrations({ items: 24 }), procedural({ difficulty: "frontier + 1", items: 64 })],
    };
    expect((await play(1, sourced(more), nobody)).run).toBe("2-letters");
  });
});
