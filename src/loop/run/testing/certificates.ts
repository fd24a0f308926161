import { rmSync } from "node:fs";
import { checkClaims } from "../../certificate/check.ts";
import type { Claim } from "../../certificate/claim.ts";
import type { Certificate } from "../../certificate/schema.ts";
import { sealed } from "../../certificate/seals.ts";
import { freshRun, promote, read, reusedRun } from "./promoted.ts";

export interface Certificates {
  /** Of fresh items, with probes and both audits. */
  readonly fresh: Certificate;
  /** The one before it in its chain. */
  readonly before: Certificate;
  /** Sealed, of items that are used again. */
  readonly reused: Certificate;
}

/** Certificates as runs write them; their folders are gone. */
export async function writtenCertificates(): Promise<Certificates> {
  const folders = [await promote(freshRun(2)), await promote(reusedRun(2))] as const;
  const [fresh, reused] = folders;
  const certificates = {
    fresh: read(fresh, "1-letters-round-2.json"),
    before: read(fresh, "1-letters-round-1.json"),
    reused: read(reused, "1-letters-round-2.json"),
  };
  for (const folder of folders) rmSync(folder, { recursive: true });
  return certificates;
}

/** The fields that claims contradict. */
export const named = (claims: readonly Claim[]): string[] =>
  claims.flatMap(({ contradictions }) => contradictions.map(({ field }) => field));

/** What contradicts a claim of a certificate: fields, and why. */
export async function contradicted(
  certificate: unknown,
  name: string,
  rest: Parameters<typeof checkClaims>[1] = {},
): Promise<readonly string[]> {
  return (await checkClaims(certificate, rest))
    .filter(({ claim }) => claim === name)
    .flatMap(({ contradictions }) => contradictions.map(({ field, words }) => `${field} ${words}`));
}

/** What a forger who knows the seals would give. */
export function sealedAnew(
  of: Certificate,
  change: (decided: Certificate["decided"], audits: Certificate["audits"]) => void,
): Certificate {
  const { decided, audits } = structuredClone(of);
  change(decided, audits);
  return sealed(decided, audits);
}
