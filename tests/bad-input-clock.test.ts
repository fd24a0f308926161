import { expect, test } from "vitest";
import type { Clock } from "../src/foundation/base/index.ts";
import type { StoredEvent } from "../src/foundation/contract/index.ts";
import { readLedger } from "../src/foundation/ledger/index.ts";
import { defineRun, demonstrations, procedural, reverse, run, supervised, tabular } from "../src/index.ts";
import { temporaryFolder } from "./cli-program.ts";

/** Wall time that jumps back by an hour at every reading; durations are another matter. */
function jumpingClock(): Clock {
  let now = Date.parse("2026-01-01T12:00:00Z");
  return {
    now: () => {
      now -= 3_600_000;
      return now;
    },
    monotonic: () => performance.now(),
  };
}

const definition = (rounds: number) =>
  defineRun({
    engine: tabular(),
    task: reverse({ lengths: [1, 2], growTo: 3, measureTo: 3 }),
    prepare: supervised({ on: demonstrations(), steps: 20, learningRate: 0.3 }),
    acquire: [demonstrations({ items: 64 }), procedural({ items: 64 })],
    evaluate: { perStratum: 16, auditPerStratum: 8, finalAuditPerStratum: 8 },
    gate: { mode: "observe" },
    budget: { rounds },
  });

/** What happened, without when and where. */
function story(events: readonly StoredEvent[], folder: string): unknown[] {
  const told = events
    .map(({ event }) => event)
    .filter(({ type }) => !["cost-metered", "engine-started", "run-resumed"].includes(type))
    .map((event) => ({ ...event, seconds: 0 }));
  return JSON.parse(JSON.stringify(told).replaceAll(folder, "")) as unknown[];
}

test("a clock that jumps back changes nothing: not the order, not a duration, not what is decided", async () => {
  const jumpy = temporaryFolder();
  const steady = temporaryFolder();
  const clock = jumpingClock();
  await run(definition(1), { folder: jumpy, clock });
  // A later process sees a time long before the one that it goes on from.
  const { events, outcome } = await run(definition(2), { folder: jumpy, clock });
  await run(definition(1), { folder: steady });
  const expected = await run(definition(2), { folder: steady });

  expect(outcome).toBe("rounds-spent");
  expect(story(events, jumpy)).toEqual(story(expected.events, steady));
  const ids = events.map(({ id }) => id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect(events.every(({ at }, index) => at < (events[index - 1]?.at ?? Number.POSITIVE_INFINITY))).toBe(
    true,
  );
  for (const { event } of events) if ("seconds" in event) expect(event.seconds).toBeGreaterThanOrEqual(0);

  using ledger = readLedger({ folder: jumpy });
  expect(ledger?.events(ledger.runs()[0]?.id ?? "")).toEqual(events);
});
