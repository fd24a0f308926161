import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventOf, RunEventType, StoredEvent, Watcher } from "../../foundation/contract/index.ts";
import { openLedger, readLedger } from "../../foundation/ledger/index.ts";
import { type RunResult, run } from "../run.ts";
import type { RunConfig } from "./config.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollback-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const play = (rounds: number, rest: Partial<RunConfig> = {}) => run(promotingRun(rounds, rest), { folder });
const eventsOf = <T extends RunEventType>({ events }: Pick<RunResult, "events">, type: T): EventOf<T>[] =>
  events.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
const checkpointOf = (result: RunResult, round: number): string =>
  eventsOf(result, "candidate-promoted").find((event) => event.round === round)?.checkpoint ?? "";
const recorded = (): readonly StoredEvent[] => {
  using ledger = readLedger({ folder });
  return ledger?.events(ledger.runs().at(-1)?.id ?? "") ?? [];
};

/** Asks the run to end at the first safe point after a stage of a round has begun. */
async function interruptedAt(rounds: number, round: number, stage: string): Promise<RunResult> {
  const controller = new AbortController();
  const watch: Watcher = (seen) => {
    if (!("event" in seen) || seen.event.type !== "stage-started") return;
    if (seen.event.round === round && seen.event.stage === stage) controller.abort();
  };
  return run(promotingRun(rounds), { folder, watch, signal: controller.signal });
}

describe("rollback", () => {
  test("takes a finished run's champion back; running again audits it, and nothing else is done", async () => {
    const before = await play(3);
    expect(before.championRound).toBe(3);
    const [to, from] = [checkpointOf(before, 2), checkpointOf(before, 3)];
    expect(await rollback({ folder, reason: "it forgets" })).toEqual({
      run: "1-letters",
      from: { round: 3, checkpoint: from },
      to: { round: 2, checkpoint: to },
      reason: "it forgets",
      round: 3,
      givenUp: false,
    });
    expect(recorded().at(-1)?.event).toEqual({
      type: "champion-rolled-back",
      round: 3,
      from: { round: 3, checkpoint: from },
      to: { round: 2, checkpoint: to },
      reason: "it forgets",
      by: "person",
    });
    const after = await play(3);
    expect(after).toMatchObject({ alreadyFinished: false, outcome: "rounds-spent", championRound: 2 });
    expect(after.champion?.endsWith(to)).toBe(true);
    expect(eventsOf(after, "round-finished")).toHaveLength(3);
    const audits = eventsOf(after, "audit-measured").filter(({ comparison }) => comparison === "base");
    expect(audits.map((audit) => audit.after.weightVersion)).toEqual([from, to]);
    expect(after.gain).toEqual(audits[1]?.gain);
    const again = await play(3);
    expect(again).toMatchObject({ alreadyFinished: true, championRound: 2 });
    expect(again.events).toHaveLength(after.events.length);
  });

  test("a raised budget goes on from the champion that was taken back", async () => {
    const before = await play(3);
    const to = checkpointOf(before, 1);
    await rollback({ folder, to: 1 });
    const after = await play(4);
    const started = eventsOf(after, "round-started").at(-1);
    expect(started).toMatchObject({ round: 4, startFrom: "champion" });
    // What was promoted in round 4 was compared with the weights of round 1, and made from them.
    const compared = eventsOf(after, "audit-measured").find(({ round }) => round === 4);
    expect(compared?.before.weightVersion).toBe(to);
    expect(after.championRound).toBe(4);
    expect((await play(4)).alreadyFinished).toBe(true);
  });

  test("a round that was under way is given up, and counts as played", async () => {
    await interruptedAt(4, 3, "optimize");
    const undone = await rollback({ folder, to: 1 });
    expect(undone).toMatchObject({ round: 3, givenUp: true, from: { round: 2 }, to: { round: 1 } });
    const after = await play(4);
    expect(eventsOf(after, "round-finished").map(({ round }) => round)).toEqual([1, 2, 4]);
    expect(eventsOf(after, "audit-measured").find(({ round }) => round === 4)?.before.weightVersion).toBe(
      checkpointOf(after, 1),
    );
    expect(after).toMatchObject({ outcome: "rounds-spent", championRound: 4 });
    expect((await play(4)).alreadyFinished).toBe(true);
  });

  test("a promotion whose round did not end can be left, and not come back to", async () => {
    const watch: Watcher = (seen) => {
      if ("event" in seen && seen.event.type === "stage-started" && seen.event.stage === "audit")
        if (seen.event.round === 2) throw new Error("killed");
    };
    await expect(run(promotingRun(3), { folder, watch })).rejects.toThrow("killed");
    expect(await rollback({ folder })).toMatchObject({ from: { round: 2 }, to: { round: 1 }, givenUp: true });
    await expect(rollback({ folder, to: 2 })).rejects.toMatchObject({ code: "not-promoted" });
    const after = await play(3);
    expect(eventsOf(after, "round-finished").map(({ round }) => round)).toEqual([1, 3]);
  });

  test("goes to the base, and to a later promotion again; the last one counts", async () => {
    await play(2);
    await rollback({ folder, to: "base" });
    const based = await play(2);
    expect(based).toMatchObject({ championRound: 0, gain: null, outcome: "rounds-spent" });
    await expect(rollback({ folder })).rejects.toMatchObject({ code: "nothing-to-roll-back" });
    expect(await rollback({ folder, to: 2 })).toMatchObject({ from: { round: 0 }, to: { round: 2 } });
    const after = await play(3);
    expect(eventsOf(after, "audit-measured").find(({ round }) => round === 3)?.before.weightVersion).toBe(
      checkpointOf(after, 2),
    );
    expect(eventsOf(after, "champion-rolled-back")).toHaveLength(2);
  });

  test("an edited configuration begins with the champion that was taken back", async () => {
    const before = await play(3);
    await rollback({ folder, to: 1 });
    const edited = await play(1, { seed: 7 });
    expect(edited.run).toBe("2-letters");
    expect(eventsOf(edited, "model-prepared")[0]?.checkpoint).toBe(checkpointOf(before, 1));
    await expect(rollback({ folder, run: "1-letters", to: "base" })).rejects.toMatchObject({
      code: "run-superseded",
    });
  });

  test("what cannot be done is named, and leaves the ledger as it was", async () => {
    await expect(rollback({ folder })).rejects.toMatchObject({ code: "no-run" });
    await play(2);
    const count = recorded().length;
    await expect(rollback({ folder, to: 7 })).rejects.toThrow(
      "Round 7 was not promoted, so it cannot be the champion; it can be base, round-1.",
    );
    await expect(rollback({ folder, to: 2 })).rejects.toThrow("Round 2 is the champion already.");
    await expect(rollback({ folder, run: "1-lettres" })).rejects.toThrow("did you mean 1-letters?");
    {
      using _running = openLedger({ folder });
      await expect(rollback({ folder })).rejects.toMatchObject({ code: "folder-in-use" });
    }
    expect(recorded()).toHaveLength(count);
  });
});
