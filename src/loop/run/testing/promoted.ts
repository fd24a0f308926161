import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunEvent, Task } from "../../../foundation/contract/index.ts";
import { readLedger } from "../../../foundation/ledger/index.ts";
import type { Certificate } from "../../certificate/schema.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { run } from "../../run.ts";
import type { CertificateCheck, ClaimStatus } from "../check-certificate.ts";
import type { RunConfig } from "../config.ts";
import { lastLetterOf, promotingRun } from "./last-letter.ts";

/** The task's truth stands beside its verifier, so that the reward can be judged by it. */
function withTruth(task: Task): Task {
  return { ...task, truth: task.verifier };
}

/** Fresh items, one probe that is measured whole and one on decision items of its own. */
export const freshRun = (rounds: number, rest: Partial<RunConfig> = {}): RunDefinition =>
  promotingRun(rounds, {
    task: withTruth(lastLetterOf(3, 5)),
    gate: { probes: ["length 3", "length 5"], probeMargin: 0.05 },
    ...rest,
  });

/** Decision items that every opening uses again, its probe's too. */
export const reusedRun = (rounds: number, rest: Partial<RunConfig> = {}): RunDefinition =>
  promotingRun(rounds, {
    task: lastLetterOf(4, 4),
    gate: { cap: 400, probes: ["length 4"], probeMargin: 0.1 },
    ...rest,
  });

/** Runs in a folder of its own, which whoever asked removes. */
export async function promote(definition: RunDefinition): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  await run(definition, { folder });
  return folder;
}

export const pathOf = (folder: string, name: string): string => join(folder, ".whetstone/certificates", name);

export function read(folder: string, name: string): Certificate {
  return JSON.parse(readFileSync(pathOf(folder, name), "utf8")) as Certificate;
}

/** How one of its claims stands. */
export const statusOf = (
  { claims }: Pick<CertificateCheck, "claims">,
  name: string,
): ClaimStatus | undefined => claims.find(({ claim }) => claim === name)?.status;

/** All that was stored in a folder, of every run. */
export function eventsOf(folder: string): RunEvent[] {
  using ledger = readLedger({ folder });
  return (ledger?.runs() ?? []).flatMap(({ id }) => ledger?.events(id) ?? []).map(({ event }) => event);
}
