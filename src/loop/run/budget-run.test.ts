import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Cost, EventOf, RunEventType, StoredEvent } from "../../foundation/contract/index.ts";
import { type RunResult, run } from "../run.ts";
import type { BudgetChange } from "./budget.ts";
import { spentOf } from "./budget.ts";
import type { RunConfig } from "./config.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { pricedTable } from "./testing/priced.ts";

// Several runs a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), "budget-"));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, "run-"));
});

const play = (budget: BudgetChange, rest: Partial<RunConfig> = {}): Promise<RunResult> =>
  run(promotingRun(3, rest), { folder, budget });
const eventsOf = <T extends RunEventType>(events: readonly StoredEvent[], type: T): EventOf<T>[] =>
  events.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
const costOf = ({ events }: RunResult): Cost => {
  const cost = eventsOf(events, "cost-metered").at(-1)?.cost;
  if (cost === undefined) throw new Error("nothing was metered");
  return cost;
};
/** What a run came to, whatever it cost and however often it stopped. */
const storyOf = ({ events }: RunResult): unknown[] => {
  const unlike = new Set<RunEventType>([
    "run-started",
    "run-resumed",
    "engine-started",
    "cost-metered",
    "budget-spent",
    "run-finished",
    "stage-started",
  ]);
  const audits = ({ event }: StoredEvent): boolean =>
    (event.type === "audit-measured" && event.comparison === "base") ||
    (event.type === "certificate-made" && event.audits.includes("base")) ||
    (event.type === "stage-finished" && event.stage === "audit");
  return events
    .filter((stored) => !unlike.has(stored.event.type) && !audits(stored))
    .map(({ event }) => ({ ...event, seconds: 0 }));
};

let whole: RunResult;
beforeAll(async () => {
  whole = await run(promotingRun(3), { folder: mkdtempSync(join(root, "whole-")) });
});

/** What was spent when each round had ended. */
function spentAfter(cap: "tokens" | "steps", round: number): number {
  const { cost } = eventsOf(whole.events, "cost-metered").find((event) => event.round === round) ?? {};
  return cost === undefined ? 0 : spentOf(cap, cost);
}

describe("a run", () => {
  test("without a cap spends its rounds, and says what they gained for what they cost", () => {
    expect(whole).toMatchObject({ outcome: "rounds-spent", championRound: 3 });
    const { marginal } = whole;
    const [before, after] = [spentAfter("tokens", 0), spentAfter("tokens", 3)];
    expect(marginal?.rounds).toEqual([1, 2, 3]);
    expect(spentOf("tokens", marginal?.cost as Cost)).toBe(after - before);
    const gains = eventsOf(whole.events, "validation-measured").flatMap(({ gain }) => gain ?? []);
    expect(marginal?.gain).toBeCloseTo(
      gains.reduce((sum, { mean }) => sum + mean, 0),
      12,
    );
    expect(marginal?.interval?.low).toBeLessThan(marginal?.gain ?? 0);
  });

  test("stops at a cap on steps with its champion safe and audited, and goes on to the same end once it is raised", async () => {
    // In the middle of round 2: its training is the last that the budget pays.
    const limit = spentAfter("steps", 1) + 1;
    const stopped = await play({ steps: limit });
    expect(stopped).toMatchObject({ outcome: "budget-spent", championRound: 1, alreadyFinished: false });
    expect(stopped.gain).not.toBeNull();
    const [stop] = eventsOf(stopped.events, "budget-spent");
    expect(stop).toMatchObject({ round: 1, cap: "steps", limit, keptBack: 0 });
    // One durable sub-step is all that is too much: the six steps of a round.
    expect(stop?.spent).toBeGreaterThanOrEqual(limit);
    expect(stop?.spent).toBeLessThan(limit + 6);
    expect(eventsOf(stopped.events, "training-finished").map(({ round }) => round)).toEqual([1, 2]);
    expect(eventsOf(stopped.events, "run-finished").at(-1)?.outcome).toBe("budget-spent");

    const again = await play({ steps: limit });
    expect(again).toMatchObject({ outcome: "budget-spent", alreadyFinished: true });
    expect(again.events).toHaveLength(stopped.events.length);
    // A budget that is smaller still is answered in its own terms.
    const smaller = await play({ steps: limit - 1 });
    expect(smaller).toMatchObject({ outcome: "budget-spent", alreadyFinished: true });
    expect(smaller.reason).toMatch(new RegExp(`^the budget of ${limit - 1} steps is spent: \\d+ steps$`));

    const raised = await play({ steps: limit + 1000 });
    expect(raised).toMatchObject({ outcome: "rounds-spent", championRound: 3, alreadyFinished: false });
    expect(storyOf(raised)).toEqual(storyOf(whole));
    expect(raised.gain).toEqual(whole.gain);
  });

  test("keeps back what its audits may take, so that a cap on tokens holds for the claim too", async () => {
    const limit = spentAfter("tokens", 2);
    const stopped = await play({ tokens: limit });
    expect(stopped).toMatchObject({ outcome: "budget-spent" });
    const [stop] = eventsOf(stopped.events, "budget-spent");
    expect(stop?.keptBack).toBeGreaterThan(0);
    expect((stop?.spent ?? 0) + (stop?.keptBack ?? 0)).toBeGreaterThanOrEqual(limit);
    expect(stopped.championRound).toBeGreaterThan(0);
    expect(stopped.gain).not.toBeNull();
    const closing = spentOf("tokens", costOf(stopped)) - (stop?.spent ?? 0);
    expect(closing).toBeLessThanOrEqual(stop?.keptBack ?? 0);
    expect((await play({ tokens: null })).outcome).toBe("rounds-spent");
  });

  test("that a cap ends in its preparation has no champion, and says so; more budget goes on", async () => {
    const stopped = await play({ steps: 2 });
    expect(stopped).toMatchObject({
      outcome: "budget-spent",
      champion: null,
      championRound: null,
      gain: null,
    });
    expect(stopped.events.at(-1)?.event).toMatchObject({ type: "budget-spent", round: 0, cap: "steps" });
    expect(await play({ steps: 2 })).toMatchObject({ outcome: "budget-spent", alreadyFinished: true });
    const raised = await play({ steps: 1000 });
    expect(raised).toMatchObject({ outcome: "rounds-spent", championRound: 3 });
    expect(storyOf(raised)).toEqual(storyOf(whole));
  });

  test("refuses a cap that leaves nothing beside its audits, before anything starts", async () => {
    await expect(play({ tokens: 100 })).rejects.toMatchObject({
      code: "budget-too-small",
      message: expect.stringMatching(/^The budget of 100 tokens leaves nothing.*finalAuditPerStratum/),
    });
    // A gate that observes promotes nothing, and has nothing to audit.
    const observed = await play({ tokens: 100 }, { gate: { mode: "observe" } });
    expect(observed).toMatchObject({ outcome: "budget-spent", champion: null });
  });

  test("stops at a cap on wall time by a clock that is passed in", async () => {
    let ms = 0;
    // A minute a look: what is done in between takes as long as it is looked at.
    const clock = { now: () => 0, monotonic: () => (ms += 60_000) };
    const stopped = await run(promotingRun(3, { budget: { rounds: 3, wallSeconds: 3600 } }), {
      folder,
      clock,
    });
    expect(stopped.outcome).toBe("budget-spent");
    expect(eventsOf(stopped.events, "budget-spent")).toMatchObject([{ cap: "wallSeconds", limit: 3600 }]);
  });
});

describe("a budget in currency", () => {
  const prices = { currency: "USD", read: 0, sampled: 10, trained: 20 };

  test("is refused where the engine has no prices", async () => {
    await expect(play({ currency: 5 })).rejects.toMatchObject({
      code: "engine-lacks",
      message: expect.stringContaining("prices"),
    });
  });

  test("is spent by what the engine charges, and told with every cost", async () => {
    const { tokensSampled, tokensTrained } = costOf(whole);
    const priceOfAll = (tokensSampled * 10 + tokensTrained * 20) / 1e6;
    const stopped = await play({ currency: priceOfAll / 2 }, { engine: pricedTable(prices) });
    expect(stopped.outcome).toBe("budget-spent");
    expect(eventsOf(stopped.events, "engine-started")[0]).toMatchObject({ currency: "USD" });
    const cost = costOf(stopped);
    expect(cost.currency).toBeCloseTo((cost.tokensSampled * 10 + cost.tokensTrained * 20) / 1e6, 12);
    expect(cost.currency).toBeLessThan(priceOfAll);

    const euros = pricedTable({ ...prices, currency: "EUR" });
    await expect(play({ currency: 9 }, { engine: euros })).rejects.toMatchObject({
      code: "currency-changed",
    });
  });
});
