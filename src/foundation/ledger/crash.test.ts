import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { randomStream } from "../base/index.ts";
import { ledgerFolder, openLedger, readLedger } from "./ledger.ts";
import type { RunLedger } from "./run-ledger.ts";
import { ledgerChild } from "./testing/child-process.ts";

const writer = `
  const ledger = openLedger({ folder });
  const run = ledger.runs().length === 0
    ? ledger.startRun({ name: "run", configHash: "c", description: null, seed: 0, origin: null })
    : ledger.openRun(ledger.runs()[0]);
  const event = (round) => ({ type: "round-finished", round, seconds: 1 });
  for (let round = run.events().length / 2 | 0; ; round++) {
    if (run.append("event-" + round, event(round)) !== undefined) say("event-" + round);
    const { events } = await run.step("step-" + round, null, async () => {
      const artifact = await ledger.artifacts.put([round, "x".repeat(20000)]);
      return { result: artifact, events: [{ key: "step-event-" + round, event: event(round) }] };
    });
    if (events.length > 0) say("step-event-" + round);
  }
`;

test("killed at twenty points, a ledger has lost nothing that was acknowledged, and doubled nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "crash-"));
  const random = randomStream(0, "kills");
  const acknowledged: string[] = [];
  for (let kill = 0; kill < 20; kill++) {
    await using child = ledgerChild(folder, writer);
    await child.printed("event");
    const more = random.integer(0, 12);
    while (child.lines.length < more) await new Promise((resolve) => setImmediate(resolve));
    await child.kill();
    acknowledged.push(...child.lines);
  }
  using reader = readLedger({ folder });
  const stored = reader?.events("1-run") ?? [];
  const rounds = stored.map(({ event }) => (event.type === "round-finished" ? event.round : Number.NaN));
  // Every round has its event and its step's event, in order; the last may have been killed between them.
  expect(rounds).toEqual(Array.from({ length: stored.length }, (_, index) => Math.floor(index / 2)));
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  expect(acknowledged.length).toBeGreaterThan(20);
  expect(acknowledged.length).toBeLessThanOrEqual(stored.length);

  using ledger = openLedger({ folder });
  const run = ledger.openRun(ledger.runs()[0] as RunLedger["record"]);
  const redone = async (): Promise<never> => {
    throw new Error("a finished step was done again");
  };
  for (const key of acknowledged) {
    const round = Number(key.split("-").at(-1));
    expect(run.append(key, { type: "round-finished", round, seconds: 1 })).toBeUndefined();
    if (!key.startsWith("step")) continue;
    const { result } = await run.step<string>(`step-${round}`, null, redone);
    expect((await ledger.artifacts.read(result))[0]).toBe(round);
  }
  expect(
    (await readdir(join(ledgerFolder(folder), "artifacts"))).filter((name) => !name.endsWith(".jsonl")),
  ).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});
