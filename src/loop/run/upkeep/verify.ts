import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isWhetstoneError, readOptions, sha256OfFiles } from "../../../foundation/base/index.ts";
import {
  canonicalHash,
  type LedgerReader,
  ledgerFolder,
  readLedger,
  reportFact,
} from "../../../foundation/ledger/index.ts";
import { digestFact, folderDigest } from "../../round/folder-digest.ts";
import { projectFolder } from "../arguments.ts";
import { noRun } from "../find-run.ts";
import { type DataFile, readFiles } from "../task-files.ts";
import { storedArtifacts } from "./folders.ts";
import { artifactsIn, keptCheckpoints, partsUnderWay } from "./references.ts";

export interface VerifyOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
}

const optionsSchema = z.strictObject({ folder: projectFolder });

/** Something that is not what was stored. */
export interface VerifyFinding {
  readonly of: "ledger" | "artifact" | "checkpoint";
  readonly name: string;
  /** `ledger-corrupt`, `artifact-damaged`, `artifact-missing`, `checkpoint-damaged` or `checkpoint-missing`. */
  readonly code: string;
  readonly message: string;
}

export interface VerifiedRun {
  readonly run: string;
  /** Events that can be read: all of them, unless a finding says otherwise. */
  readonly events: number;
  /** SHA-256 of the run's canonical form: equal where two runs are equal in all that counts; null where it cannot be read. */
  readonly hash: string | null;
}

export interface Verification {
  readonly whole: boolean;
  readonly runs: readonly VerifiedRun[];
  /** That were hashed again. */
  readonly artifacts: number;
  readonly checkpoints: number;
  /** Checkpoints that are not there any more, and that no run needs to go on. */
  readonly gone: readonly string[];
  readonly findings: readonly VerifyFinding[];
  /** Files of yours that runs read their items from, and whether they hold what they held then. A changed one is nobody's fault. */
  readonly files: readonly DataFile[];
}

/**
 * Hashes everything that a folder's runs stored again, and compares it with what the ledger says; changes nothing, and may be asked
 * beside a run. Throws a user error `no-run` where nobody has run, and what reading the ledger throws where not even its runs can
 * be read.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * await run(defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } }), { folder });
 * const { whole, findings } = await verifyFolder({ folder }); // true, []
 */
export async function verifyFolder(options: VerifyOptions = {}): Promise<Verification> {
  const { folder } = readOptions("verifyFolder()", optionsSchema, options);
  using ledger = readLedger({ folder });
  if (ledger === undefined || ledger.runs().length === 0) throw noRun();
  const findings: VerifyFinding[] = [];
  const place = join(ledgerFolder(folder), "ledger.sqlite");
  for (const fault of ledger.faults())
    findings.push({
      of: "ledger",
      name: place,
      code: "ledger-corrupt",
      message: `${place} is damaged (${fault}): restore it from a copy, or move the folder .whetstone away to start anew.`,
    });
  const runs = ledger.runs().map(({ id }) => verifyRun(ledger, id, findings));
  // What refers to what is known only where all of it can be read.
  if (runs.some(({ hash }) => hash === null))
    return { whole: false, runs, artifacts: 0, checkpoints: 0, gone: [], findings, files: [] };
  const artifacts = await verifyArtifacts(folder, ledger, findings);
  const { checkpoints, gone } = await verifyCheckpoints(folder, ledger, findings);
  const files = await readFiles(folder, ledger);
  return { whole: findings.length === 0, runs, artifacts, checkpoints, gone, findings, files };
}

function verifyRun(ledger: LedgerReader, run: string, findings: VerifyFinding[]): VerifiedRun {
  try {
    const events = ledger.events(run).length;
    return { run, events, hash: canonicalHash(ledger.canonicalForm(run)) };
  } catch (error) {
    if (!isWhetstoneError(error)) throw error;
    const { code, message } = error;
    if (!findings.some((known) => known.message === message))
      findings.push({ of: "ledger", name: run, code, message });
    return { run, events: ledger.readableEvents(run).length, hash: null };
  }
}

async function verifyArtifacts(
  folder: string,
  ledger: LedgerReader,
  findings: VerifyFinding[],
): Promise<number> {
  const stored = storedArtifacts(folder);
  for (const { name, path, isFile } of stored)
    if (!isFile || (await sha256OfFiles([path])) !== name)
      findings.push({
        of: "artifact",
        name,
        code: "artifact-damaged",
        message: `${path} ${isFile ? "does not hold what was written: restore it from a copy" : "is no file: move it away, and put a copy of what was written there"}.`,
      });
  const there = new Set(stored.map(({ name }) => name));
  const forms = ledger.runs().map(({ id, origin }) => ({ ...ledger.canonicalForm(id), origin }));
  const meant = new Set([
    ...[
      ...forms.flatMap(({ origin, steps, events }) => [
        origin,
        ...steps.map(({ result }) => result),
        ...events.map(({ event }) => event),
      ]),
      ...["champion/", reportFact("")].flatMap((beginning) =>
        ledger.facts(beginning).map(({ value }) => value),
      ),
    ].flatMap((value) => artifactsIn(value)),
    ...forms.flatMap(({ steps }) => partsUnderWay(steps)),
  ]);
  for (const name of meant)
    if (!there.has(name))
      findings.push({
        of: "artifact",
        name,
        code: "artifact-missing",
        message: `The artifact ${name} is missing: restore it from a copy.`,
      });
  return stored.length;
}

async function verifyCheckpoints(
  folder: string,
  ledger: LedgerReader,
  findings: VerifyFinding[],
): Promise<{ readonly checkpoints: number; readonly gone: readonly string[] }> {
  const kept = keptCheckpoints(ledger);
  const gone: string[] = [];
  let checkpoints = 0;
  const saved = ledger.facts(digestFact("")).map(({ key, value }) => ({
    name: key.slice(digestFact("").length),
    digest: value,
  }));
  for (const { name, digest } of saved) {
    const path = join(ledgerFolder(folder), "checkpoints", name);
    const reason = kept.get(name);
    if (!existsSync(path)) {
      if (reason === undefined || reason === "promoted") gone.push(name);
      else
        findings.push({
          of: "checkpoint",
          name,
          code: "checkpoint-missing",
          message: `${path} is missing (${reason}): restore it from a copy.`,
        });
      continue;
    }
    checkpoints += 1;
    if ((await folderDigest(path)) !== digest)
      findings.push({
        of: "checkpoint",
        name,
        code: "checkpoint-damaged",
        message: `${path} does not hold what was saved there: put a copy back.`,
      });
  }
  return { checkpoints, gone };
}
