import { resolve } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import {
  type CertificateCheck,
  checkCertificate,
  findCertificate,
  openCertificate,
  signCertificate,
} from "../../../loop/run/check-certificate.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { loadConfig } from "../load-config.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";
import { certificateLines } from "./certificate-lines.ts";

export interface ShowCertificateFlags extends JsonFlags {
  readonly run?: string;
}

export interface CheckCertificateFlags extends JsonFlags {
  readonly replay?: boolean;
  readonly publicKey?: string;
  readonly folder?: string;
  readonly weights?: readonly string[];
}

export interface OpenCertificateFlags extends JsonFlags {
  readonly reason?: string;
  readonly run?: string;
}

export interface SignCertificateFlags extends JsonFlags {
  readonly key?: string;
}

/** The certificate of a round, and what can be said of it. */
export async function showCertificateCommand(
  this: CliContext,
  flags: ShowCertificateFlags,
  first?: string,
  second?: string,
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    // The newest one of a folder is asked for by the folder alone.
    const alone = first !== undefined && second === undefined && !isRound.test(first);
    const [round, where = "."] = alone ? [undefined, first] : [first, second];
    const found = await findCertificate(projectFolder(where), {
      ...(round === undefined ? {} : { round: roundOf(round) }),
      ...(flags.run === undefined ? {} : { run: flags.run }),
    });
    if (flags.json) output.json(found);
    else {
      const checked = await checkCertificate({ file: found.path });
      output.line(`${found.path}`);
      for (const line of certificateLines(checked)) output.line(line);
    }
    return 0;
  });
}

/** Claim by claim, with a verdict; the exit code says whether something contradicts it. */
export async function checkCertificateCommand(
  this: CliContext,
  flags: CheckCertificateFlags,
  file: string,
): Promise<void> {
  const { output, parameters } = this;
  await answer(this, flags.json, async () => {
    const { replay = false, publicKey, folder, weights } = flags;
    if (!replay && (folder !== undefined || weights !== undefined))
      throw userError("invalid-option", "--folder and --weights are for --replay: add it.");
    const config = replay ? await loadConfig(folder ?? ".", parameters) : undefined;
    using interruption = interruptible({ say: () => {} });
    const checked: CertificateCheck = await checkCertificate({
      file: resolve(file),
      ...(publicKey === undefined ? {} : { publicKey: resolve(publicKey) }),
      ...(config === undefined
        ? {}
        : {
            replay: {
              definition: config.definition,
              folder: config.folder,
              weights: (weights ?? []).map((path) => resolve(path)),
              onProgress: (done, total) => output.passing(`${done} of at most ${total} pairs`),
            },
          }),
      signal: interruption.signal,
    });
    output.passing("");
    if (flags.json) output.json(checked);
    else for (const line of certificateLines(checked)) output.line(line);
    return checked.verdict === "contradicted" ? exitCodes.contradicted : exitCodes.done;
  });
}

/** Results that were sealed, in a file; on the record. */
export async function openCertificateCommand(
  this: CliContext,
  flags: OpenCertificateFlags,
  round: string,
  where = ".",
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { reason, run } = flags;
    if (reason === undefined)
      throw userError("invalid-option", '--reason is missing: say why, as in --reason "for a reviewer".');
    const opened = await openCertificate({
      folder: projectFolder(where),
      round: roundOf(round),
      reason,
      ...(run === undefined ? {} : { run }),
    });
    if (flags.json) output.json(opened);
    else {
      output.line(`The results of round ${opened.round} of ${opened.run} lie open in ${opened.path}.`);
      output.line(
        `Recorded: from now on no promotion on the decision items of ${opened.items} is bounded by α, and its certificate says so.`,
      );
    }
    return 0;
  });
}

export async function signCertificateCommand(
  this: CliContext,
  flags: SignCertificateFlags,
  file: string,
): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const { key } = flags;
    if (key === undefined)
      throw userError("invalid-option", "--key is missing: a file with your ed25519 private key in PEM.");
    const { signature, decided } = await signCertificate({ file: resolve(file), key: resolve(key) });
    if (flags.json) output.json({ file: resolve(file), signature });
    else output.line(`Signed: the certificate of round ${decided.run.round} of ${decided.run.id}.`);
    return 0;
  });
}

const isRound = /^(?:round-)?(\d{1,9})$/;

function roundOf(text: string): number {
  const [, digits] = isRound.exec(text) ?? [];
  if (digits !== undefined && Number(digits) >= 1) return Number(digits);
  throw userError(
    "invalid-option",
    `ROUND is the number of a round that was promoted, such as 3; not ${text}.`,
  );
}
