import { expect, test } from "vitest";
import { readLedger } from "../src/foundation/ledger/index.ts";
import { quickConfig, temporaryFolder, whetstone } from "./cli-program.ts";

/** No file may grow beyond so many kilobytes: what a full disk does to checkpoints, for this process alone. */
const atMost = (kilobytes: number) => [
  "bash",
  "-c",
  `ulimit -f ${kilobytes}; exec "$0" "$@"`,
  process.execPath,
];

function eventsIn(folder: string): Map<string, number> {
  using ledger = readLedger({ folder });
  const counts = new Map<string, number>();
  for (const { id } of ledger?.runs() ?? [])
    for (const { event } of ledger?.events(id) ?? []) {
      const name = "round" in event ? `${event.type} ${event.round}` : event.type;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  return counts;
}

/** Runs until a file would grow too large, then without a limit; returns what was said of the full disk. */
async function fillsThenGoesOn(config: string, kilobytes: number): Promise<string> {
  const folder = temporaryFolder(config);
  const full = await whetstone(["run"], { folder, through: atMost(kilobytes) });
  expect(full.code).toBe(2);
  const before = eventsIn(folder);
  expect(before.get("run-started")).toBe(1);
  expect(before.has("run-finished")).toBe(false);

  const goneOn = await whetstone(["run"], { folder });
  expect({ code: goneOn.code, stderr: goneOn.stderr }).toEqual({ code: 0, stderr: "" });
  const after = eventsIn(folder);
  for (const [event, count] of before) expect(after.get(event)).toBeGreaterThanOrEqual(count);
  for (const once of [
    "run-started",
    "model-prepared 0",
    "round-finished 1",
    "round-finished 2",
    "run-finished",
  ])
    expect([once, after.get(once)]).toEqual([once, 1]);
  return full.stderr;
}

test("a full disk while a checkpoint is saved: a sentence, a whole ledger, and the run goes on", async () => {
  const config = quickConfig({ rounds: 2 }).replace(
    "[1, 2], growTo: 3, measureTo: 3",
    "[1, 4], growTo: 5, measureTo: 5",
  );
  expect(await fillsThenGoesOn(config, 300)).toMatch(
    /^whetstone: The disk of .*checkpoints.* is full: free some space and run it again\.\n$/,
  );
});

test("a disk that fails under the ledger itself: a sentence, a whole ledger, and the run goes on", async () => {
  // SQLite tells a file that may not grow from a full disk only by the words "I/O error".
  expect(await fillsThenGoesOn(quickConfig({ rounds: 2 }), 300)).toMatch(
    /^whetstone: (The disk failed at|No space is left on the disk of) .*ledger\.sqlite.*\n$/,
  );
});
