import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { ledgerFolder } from "../../foundation/ledger/index.ts";
import { run } from "../run.ts";
import { promotingRun } from "./testing/last-letter.ts";

const root = mkdtempSync(join(tmpdir(), "deleted-"));
afterAll(() => rmSync(root, { recursive: true }));

const decisionsOf = (events: readonly StoredEvent[]) =>
  events.flatMap(({ event }) =>
    event.type === "decision-made" || event.type === "audit-measured" ? [event] : [],
  );

/** What docs/cli.md allows: all checkpoints but the base, the champion and the newest candidate. */
test.each([
  ["decide", "candidate"] as const,
  ["observe", "candidate"] as const,
  ["observe", "champion"] as const,
])(
  "a finished run goes on without the checkpoints that may be deleted by hand (gate %s, after a rejection from the %s)",
  async (mode, afterReject) => {
    const definition = (rounds: number) => promotingRun(rounds, { gate: { mode, cap: 400 }, afterReject });
    const whole = await run(definition(4), { folder: mkdtempSync(join(root, "run-")) });
    const folder = mkdtempSync(join(root, "run-"));
    const { champion } = await run(definition(3), { folder });
    const checkpoints = join(ledgerFolder(folder), "checkpoints", "1-letters");
    const names = readdirSync(checkpoints);
    expect(names.sort()).toEqual([
      "round-0-solver-5",
      "round-1-solver-pass-0-6",
      "round-2-solver-pass-0-6",
      "round-3-solver-pass-0-6",
    ]);
    const kept = ["round-0-solver-5", "round-3-solver-pass-0-6"];
    for (const name of names.filter((one) => !kept.includes(one) && !champion?.endsWith(one)))
      rmSync(join(checkpoints, name), { recursive: true });
    expect(readdirSync(checkpoints).length).toBeLessThanOrEqual(3);
    const later = await run(definition(4), { folder });
    // The audit of the whole run is made at both ends.
    expect(decisionsOf(later.events).filter(({ type }) => type === "decision-made")).toEqual(
      decisionsOf(whole.events).filter(({ type }) => type === "decision-made"),
    );
    expect(later.gain).toEqual(whole.gain);
  },
);
