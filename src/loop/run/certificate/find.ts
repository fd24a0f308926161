import { existsSync } from "node:fs";
import { join } from "node:path";
import { userError, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { EventOf } from "../../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../../foundation/ledger/index.ts";
import { certificateName } from "../../certificate/file.ts";
import type { Certificate } from "../../certificate/schema.ts";
import { eventOf, readCertificate } from "../../round/certify.ts";
import { readRun } from "../find-run.ts";
import { lastRound } from "../result.ts";

export interface FoundCertificate {
  readonly run: string;
  readonly round: number;
  /** Its copy in the folder of certificates, or where that was taken away its artifact. */
  readonly path: string;
  readonly certificate: Certificate;
}

/** The certificate of a round, or the newest. Throws user errors `no-run` and `no-certificate`. */
export async function findCertificate(
  folder: string,
  { run, round }: { readonly run?: string | undefined; readonly round?: number | undefined } = {},
): Promise<FoundCertificate> {
  const { record, events } = readRun(folder, run);
  const made: EventOf<"certificate-made"> | undefined = eventOf(events, "certificate-made", round);
  using ledger = readLedger({ folder });
  if (made === undefined || ledger === undefined) throw noCertificate(record.id, round, lastRound(events));
  const copy = join(ledgerFolder(folder), "certificates", certificateName(record.id, made.round));
  return {
    run: record.id,
    round: made.round,
    path: existsSync(copy) ? copy : ledger.artifacts.pathOf(made.certificate),
    certificate: await readCertificate(ledger.artifacts, made.certificate),
  };
}

export function noCertificate(run: string, round: number | undefined, played: number): WhetstoneError {
  if (round !== undefined && round > played)
    return userError(
      "no-certificate",
      `${run} has no round ${round}: it has played ${played === 1 ? "one round" : `${played} rounds`}. \`whetstone status\` shows them.`,
      { run },
    );
  return userError(
    "no-certificate",
    round === undefined
      ? `The run ${run} has no certificate: each round that is promoted gets one.`
      : `Round ${round} of ${run} has no certificate: only rounds that were promoted have one. \`whetstone status\` shows them.`,
    { run },
  );
}
