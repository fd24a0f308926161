import { z } from "zod";
import {
  type Clock,
  type Json,
  readOptions,
  systemClock,
  userError,
  valueWith,
} from "../../../foundation/base/index.ts";
import { openLedger, readLedger } from "../../../foundation/ledger/index.ts";
import { certificateName, certificateText } from "../../certificate/file.ts";
import { gateOf } from "../../certificate/gate-of.ts";
import { resultsRowSchema } from "../../certificate/rows.ts";
import type { Certificate } from "../../certificate/schema.ts";
import { eventOf, readCertificate } from "../../round/certify.ts";
import { decisionItemsOf } from "../../round/decide/block-parts.ts";
import { projectFolder, runName } from "../arguments.ts";
import { chosenRun, noRun } from "../find-run.ts";
import { lastRound } from "../result.ts";
import { noCertificate } from "./find.ts";

export interface OpenCertificateOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** A round that was promoted. */
  readonly round: number;
  /** A run by its name; the last one if left out. */
  readonly run?: string;
  /** Why, for those who read later certificates. */
  readonly reason: string;
  readonly clock?: Clock;
}

export interface OpenedCertificate {
  readonly run: string;
  readonly round: number;
  /** The file with the results in it. */
  readonly path: string;
  readonly certificate: Certificate;
  /** Whose decision items were looked at. */
  readonly items: string;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  round: z.number().int().min(1),
  run: runName,
  reason: z.string().trim().min(1),
  clock: valueWith<Clock>("monotonic", "expected a clock").optional(),
});

/**
 * Writes a certificate with the results that are sealed in it because its decision items are used again, and records that a
 * person has looked: whatever later openings on these items promote is not bounded any more, and their certificates say so.
 * Throws user errors `no-run`, `no-certificate`, `not-sealed` and `folder-in-use`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * await openCertificate({ folder, round: 1, reason: "a reader asked" }).catch(({ code }) => console.log(code)); // "no-certificate"
 */
export async function openCertificate(options: OpenCertificateOptions): Promise<OpenedCertificate> {
  const read = readOptions("openCertificate()", optionsSchema, options);
  const { folder, round, run, reason, clock = systemClock } = read;
  refuseWithoutRun(folder);
  using ledger = openLedger({ folder, clock });
  const record = chosenRun(ledger.runs(), run);
  const journal = ledger.openRun(record);
  const events = journal.events();
  const made = eventOf(events, "certificate-made", round);
  if (made === undefined) throw noCertificate(record.id, round, lastRound(events));
  const certificate = await readCertificate(ledger.artifacts, made.certificate);
  const { decided } = certificate;
  if (decided.results.rows !== null)
    throw userError(
      "not-sealed",
      `The results of round ${round} stand in its certificate: its decision items are used once, and nothing is sealed.`,
    );
  const rows = z.array(resultsRowSchema).parse(await ledger.artifacts.read(decided.results.commitment));
  const task = gateOf(decided)?.task;
  const items = task === undefined ? "" : decisionItemsOf(task);
  // Recorded first: whoever has seen results has been recorded.
  journal.append(`certificate-opened/${round}/${events.length}`, {
    type: "certificate-opened",
    round,
    items,
    opening: decided.opening.opening,
    reason,
    by: "person",
  });
  const opened: Certificate = {
    ...certificate,
    decided: { ...decided, results: { ...decided.results, rows } },
  };
  const name = certificateName(record.id, round).replace(/\.json$/, "-opened.json");
  const path = ledger.writeCertificate(name, `${certificateText(opened as unknown as Json)}\n`);
  return { run: record.id, round, path, certificate: opened, items };
}

/** A folder that nobody ran in is left as it is. */
function refuseWithoutRun(folder: string): void {
  using reader = readLedger({ folder });
  if ((reader?.runs() ?? []).length === 0) throw noRun();
}
