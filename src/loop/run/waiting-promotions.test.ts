import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { EventOf, RunEventType, StoredEvent } from "../../foundation/contract/index.ts";
import { type Question, type RunOptions, type RunResult, run } from "../run.ts";
import { type AnswerOptions, answerQuestion, openQuestions } from "./answer-question.ts";
import { checkCertificate, findCertificate } from "./check-certificate.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { collectGarbage } from "./upkeep/collect.ts";

// Several runs a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 240_000 });

const root = mkdtempSync(join(tmpdir(), "waiting-"));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, "run-"));
});

const beside = { oversight: { ask: ["promotion" as const], whileWaiting: "next-round" as const } };
const eventsOf = <T extends RunEventType>(events: readonly StoredEvent[], type: T): EventOf<T>[] =>
  events.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
const decisionsOf = ({ events }: RunResult, round: number) =>
  eventsOf(events, "decision-made").flatMap((event) => (event.round === round ? [event.decision] : []));
const promotedIn = ({ events }: RunResult): number[] =>
  eventsOf(events, "candidate-promoted").map(({ round }) => round);
const startsOf = ({ events }: RunResult): string[] =>
  eventsOf(events, "round-started").map(({ startFrom }) => startFrom);

type Said = Pick<AnswerOptions, "answer" | "why"> | "end" | undefined;

interface Play extends Pick<RunOptions, "budget"> {
  /** What is done at a question that the run goes on beside, and at one that it waits for. */
  readonly beside?: (question: Question) => Said;
  readonly waited?: (question: Question) => Said;
}

async function play(
  rounds: number,
  { beside: said = () => undefined, waited, budget }: Play = {},
): Promise<RunResult> {
  const controller = new AbortController();
  const answering: Promise<unknown>[] = [];
  const onQuestion: RunOptions["onQuestion"] = (question, { goesOn }) => {
    const answer = goesOn ? said(question) : (waited ?? nobody)(question);
    if (answer === "end") controller.abort(new Error("enough"));
    else if (answer !== undefined)
      answering.push(answerQuestion({ folder, question: question.id, ...answer }));
  };
  const result = await run(promotingRun(rounds, beside), {
    folder,
    onQuestion,
    signal: controller.signal,
    ...(budget === undefined ? {} : { budget }),
  });
  await Promise.all(answering);
  return result;
}
const nobody = (question: Question): never => {
  throw new Error(`${question.id} was not to be waited for`);
};
const approve = { answer: "approve" } as const;
const reject = { answer: "reject", why: "not this one" } as const;

describe("a promotion that rounds go on beside", () => {
  test("is waited for when no round is left, and then made, certified and audited", async () => {
    const waited: string[] = [];
    const result = await play(2, {
      waited: ({ id }) => {
        waited.push(id);
        return id === "1-promotion-2" ? approve : undefined;
      },
    });
    // Both were compared with the base; whoever is approved first makes the other one stale.
    expect(waited).toEqual(["1-promotion-1", "1-promotion-2"]);
    expect(startsOf(result)).toEqual(["base", "base"]);
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 2 });
    expect(promotedIn(result)).toEqual([2]);
    expect(decisionsOf(result, 1).map(({ decision, acted }) => [decision, acted])).toEqual([
      ["ask", false],
      ["reject", true],
    ]);
    expect(decisionsOf(result, 1)[1]?.reason).toMatch(
      /^round 2 has become the champion meanwhile, and the comparison with the one before it is stale \(the gate said better: /,
    );
    expect(eventsOf(result.events, "question-answered").map(({ question }) => question)).toEqual([
      "1-promotion-2",
    ]);
    expect(openQuestions({ folder })).toEqual([]);
    const late = answerQuestion({ folder, question: "1-promotion-1", ...approve });
    await expect(late).rejects.toMatchObject({ code: "no-question" });
    const audits = eventsOf(result.events, "audit-measured");
    expect(audits.map(({ round, comparison }) => [round, comparison])).toEqual([
      [2, "previous-champion"],
      [2, "base"],
    ]);
    const { path } = await findCertificate(folder);
    expect(await checkCertificate({ file: path })).toMatchObject({ round: 2, verdict: "holds" });
  });

  test("is made between rounds once it is approved; the round that was under way is not promoted beside it", async () => {
    const result = await play(3, {
      beside: ({ round }) => (round === 1 ? approve : undefined),
      waited: ({ round }) => (round === 3 ? approve : undefined),
    });
    expect(promotedIn(result)).toEqual([1, 3]);
    // Whatever round heard the answer: what was compared with the base before is stale, what came after is not.
    const heardAfter = startsOf(result).indexOf("champion");
    expect(heardAfter).toBeGreaterThan(0);
    for (let round = 2; round <= heardAfter; round += 1)
      expect(decisionsOf(result, round).at(-1)?.reason).toMatch(/stale/);
    expect(result.championRound).toBe(3);
  });

  test("that is rejected leaves the champion, and the next round goes on from it", async () => {
    const result = await play(2, { beside: () => reject, waited: () => reject });
    expect(promotedIn(result)).toEqual([]);
    expect(startsOf(result)).toEqual(["base", "base"]);
    expect(result).toMatchObject({ championRound: 0, gain: null });
    expect(decisionsOf(result, 1)[1]?.reason).toMatch(/^a person rejected it: not this one/);
  });

  test("survives the process: answered while nobody runs, and the same when it is played again", async () => {
    const ended = await play(2, { waited: () => "end" });
    expect(ended.outcome).toBe("interrupted");
    expect(openQuestions({ folder }).map(({ id }) => id)).toEqual(["1-promotion-1", "1-promotion-2"]);
    // What a person is asked about is not collected.
    const before = await collectGarbage({ folder });
    expect(JSON.stringify(before)).not.toMatch(/round-1-policy/);
    await answerQuestion({ folder, question: "1-promotion-1", ...approve });
    const result = await play(2);
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 1 });
    expect(decisionsOf(result, 2)[1]?.reason).toMatch(/stale/);
    expect((await play(2)).alreadyFinished).toBe(true);
    // Another round goes on from what was approved, and reads the rounds before as they were.
    const more = await play(3, { waited: () => approve });
    expect(startsOf(more)).toEqual(["base", "base", "champion"]);
    expect(more.championRound).toBe(3);
    await rollback({ folder, to: 1 });
    expect(await play(3)).toMatchObject({ championRound: 1, outcome: "rounds-spent" });
  });

  test("does not keep a run from ending at a cap: the question stays, and an answer is acted on under the spent budget", async () => {
    const budget = { steps: 12 };
    const result = await play(2, { budget });
    expect(result).toMatchObject({ outcome: "budget-spent", championRound: 0 });
    expect(eventsOf(result.events, "budget-spent")).toMatchObject([{ cap: "steps", limit: 12 }]);
    expect(openQuestions({ folder }).map(({ id }) => id)).toEqual(["1-promotion-1"]);
    expect((await play(2, { budget })).alreadyFinished).toBe(true);
    await answerQuestion({ folder, question: "1-promotion-1", ...approve });
    const made = await play(2, { budget });
    expect(made).toMatchObject({ outcome: "budget-spent", championRound: 1, alreadyFinished: false });
    expect(made.gain).not.toBeNull();
    // The last words are said again: whoever reads the events reads that the cap has ended the run.
    expect(made.events.at(-1)?.event).toMatchObject({ type: "budget-spent", cap: "steps" });
    expect((await play(2, { budget })).alreadyFinished).toBe(true);
    const { path } = await findCertificate(folder);
    expect(await checkCertificate({ file: path })).toMatchObject({ round: 1, verdict: "holds" });

    // The round that was under way began before it, and is stale.
    const raised = await play(2, { budget: { steps: 1000 } });
    expect(raised).toMatchObject({ outcome: "rounds-spent", championRound: 1 });
    expect(decisionsOf(raised, 2)).toMatchObject([
      {
        decision: "reject",
        acted: true,
        opening: null,
        reason: expect.stringMatching(/not opened: round 1 has become the champion meanwhile/),
      },
    ]);
    const third = await play(3, { budget: { steps: 1000 }, waited: () => approve });
    expect(startsOf(third)).toEqual(["base", "base", "champion"]);
    expect(third.championRound).toBe(3);
  });

  test("and that a cap has left behind is waited for when the rounds are cut to those that were played", async () => {
    await play(2, { budget: { steps: 12 } });
    const result = await play(1, { budget: { steps: 1000 }, waited: () => reject });
    expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 0, alreadyFinished: false });
    expect(openQuestions({ folder })).toEqual([]);
  });

  test("that a person takes back with the champion is no question any more", async () => {
    await play(1, { waited: () => approve });
    const waiting = await play(3, { waited: () => "end" });
    expect(waiting.outcome).toBe("interrupted");
    await rollback({ folder, to: "base" });
    expect(openQuestions({ folder })).toEqual([]);
    const result = await play(3);
    expect(result).toMatchObject({ championRound: 0, outcome: "rounds-spent" });
  });
});
