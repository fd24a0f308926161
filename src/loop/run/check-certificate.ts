import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { checkClaims, type Verdict, verdictOf } from "../certificate/check.ts";
import type { Claim, ClaimStatus } from "../certificate/claim.ts";
import { certificatesBeside, readJsonFile } from "../certificate/file.ts";
import { certificateSchema } from "../certificate/schema.ts";
import { publicKeyFrom } from "../certificate/sign.ts";
import type { RunDefinition } from "../round/definition.ts";
import { abortSignal, checkDefinition, functionOf } from "./arguments.ts";
import { replayClaims } from "./certificate/replay.ts";

export type { Verdict } from "../certificate/check.ts";
export type { Claim, ClaimStatus, Contradiction } from "../certificate/claim.ts";
export type { Certificate } from "../certificate/schema.ts";
export { type SignCertificateOptions, signCertificate } from "../certificate/sign.ts";
export { type FoundCertificate, findCertificate } from "./certificate/find.ts";
export { type OpenCertificateOptions, type OpenedCertificate, openCertificate } from "./certificate/open.ts";

/** How a certificate is measured again. */
export interface ReplayOptions {
  /** The run's definition: task, harness and engine. */
  readonly definition: RunDefinition;
  /** The project folder of the definition: paths in it are relative to this. Its checkpoints are used where they are there. */
  readonly folder: string;
  /** Folders with weights, such as exported ones: they are known by their hashes. */
  readonly weights?: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
}

export interface CheckCertificateOptions {
  readonly file: string;
  /** A file with the ed25519 public key in PEM that must have signed it. */
  readonly publicKey?: string;
  /** Measures again on freshly loaded weights. */
  readonly replay?: ReplayOptions;
  readonly signal?: AbortSignal;
}

export interface CertificateCheck {
  readonly file: string;
  /** Null where it cannot be read as a certificate. */
  readonly run: string | null;
  readonly round: number | null;
  readonly hash: string | null;
  /** `contradicted` as soon as one claim is. */
  readonly verdict: Verdict;
  readonly counts: Readonly<Record<ClaimStatus, number>>;
  readonly claims: readonly Claim[];
}

const optionsSchema = z.strictObject({
  file: z.string().min(1),
  publicKey: z.string().min(1).optional(),
  replay: z
    .strictObject({
      definition: z.custom<RunDefinition>((value) => typeof value === "object" && value !== null),
      folder: z.string().min(1),
      weights: z.array(z.string().min(1)).readonly().default([]),
      onProgress: functionOf<NonNullable<ReplayOptions["onProgress"]>>(),
    })
    .optional(),
  signal: abortSignal,
});

/**
 * Says of a certificate, claim by claim, what was verified, what was recomputed from results that it states, and what is taken
 * on trust; a contradiction names the field. Needs nothing but the file. Throws user errors `certificate-unreadable`,
 * `key-unreadable` and, with `replay`, `other-protocol` and `weights-missing`.
 *
 * @example
 * await checkCertificate({ file: "round-1.json" }).catch(({ code }) => console.log(code)); // "certificate-unreadable": there is none
 */
export async function checkCertificate(options: CheckCertificateOptions): Promise<CertificateCheck> {
  const { file, publicKey, replay, signal } = readOptions("checkCertificate()", optionsSchema, options);
  if (replay !== undefined) checkDefinition("checkCertificate()", replay.definition);
  const key = publicKey === undefined ? undefined : publicKeyFrom(publicKey);
  const value = readJsonFile(file);
  const claims = await checkClaims(value, { publicKey: key, others: certificatesBeside(file) });
  const read = certificateSchema.safeParse(value);
  if (replay !== undefined && read.success)
    claims.push(...(await replayClaims({ ...replay, certificate: read.data, signal })));
  const counts = { verified: 0, recomputed: 0, trusted: 0, contradicted: 0 };
  for (const { status } of claims) counts[status] += 1;
  return {
    file,
    run: read.data?.decided.run.id ?? null,
    round: read.data?.decided.run.round ?? null,
    hash: read.data?.hash ?? null,
    verdict: verdictOf(claims),
    counts,
    claims,
  };
}
