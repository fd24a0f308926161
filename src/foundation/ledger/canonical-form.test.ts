import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RunEvent } from "../contract/index.ts";
import { canonicalHash } from "./canonical-form.ts";
import { openLedger, readLedger } from "./ledger.ts";
import { roundStarted } from "./testing/events.ts";

const root = mkdtempSync(join(tmpdir(), "canonical-"));
afterAll(() => rmSync(root, { recursive: true }));

interface Told {
  readonly order?: readonly number[];
  readonly seconds?: number;
  readonly processId?: number;
  readonly result?: string;
}

/** One story, told at another pace, in another order and after other interruptions. */
async function formOf({ order = [1, 2], seconds = 1, processId, result = "a" }: Told) {
  const folder = mkdtempSync(join(root, "run-"));
  {
    using ledger = openLedger({ folder });
    const run = ledger.startRun({ name: "run", configHash: "c", description: null, seed: 0, origin: null });
    if (processId !== undefined) {
      const resumed: RunEvent = { type: "run-resumed", run: run.id, round: 1, rounds: 2, processId };
      run.append(`resumed/${processId}`, resumed);
    }
    for (const round of order) {
      run.append(`round-${round}/started`, roundStarted(round));
      await run.step(`round-${round}/evaluate`, { round }, async () => ({
        result,
        events: [{ key: `round-${round}/finished`, event: { type: "round-finished", round, seconds } }],
      }));
    }
  }
  using reader = readLedger({ folder });
  return reader?.canonicalForm("1-run");
}

test("is the same whatever the clock, the order of what ran at once, and interruptions made of a run", async () => {
  const one = await formOf({});
  expect(one).toEqual(await formOf({ order: [2, 1], seconds: 7, processId: 12 }));
  expect(one?.events.map(({ key }) => key)).toEqual([
    "round-1/finished",
    "round-1/started",
    "round-2/finished",
    "round-2/started",
  ]);
  expect(one?.events[0]?.event).toEqual({ type: "round-finished", round: 1 });
  expect(one?.steps.map(({ name }) => name)).toEqual(["round-1/evaluate", "round-2/evaluate"]);
});

test("differs where a step came to another result, or an event is missing", async () => {
  const forms = await Promise.all([formOf({}), formOf({ result: "b" }), formOf({ order: [1] })]);
  expect(new Set(forms.map((form) => form && canonicalHash(form))).size).toBe(3);
});
