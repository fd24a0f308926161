import { canonicalJson, hashOf, type Json, sha256 } from "../../foundation/base/index.ts";
import type { ResultsRow } from "./rows.ts";
import {
  type Audited,
  type Certificate,
  certificateFormat,
  certificateVersion,
  type Decided,
} from "./schema.ts";

/** The name of the artifact that holds these rows: a hash of them as JSON lines. */
export function commitmentOf(rows: readonly ResultsRow[]): string {
  return sha256(rows.map((row) => `${canonicalJson(row as Json)}\n`).join(""));
}

/**
 * A hash a part, by its path: members of objects by themselves, so that a change can be named. Results are sealed by their
 * commitment, and so are the same whether they are open or not.
 */
export function sealsOf({
  decided,
  audits,
}: Pick<Certificate, "decided" | "audits">): Record<string, string> {
  const seals: Record<string, string> = {};
  const seal = (path: string, value: Json): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [name, member] of Object.entries(value))
        seals[`${path}.${name}`] = hashOf((member ?? null) as Json);
    else seals[path] = hashOf(value);
  };
  for (const [name, value] of Object.entries(decided)) {
    if (name === "results")
      seals["decided.results.rows"] =
        decided.results.rows === null ? decided.results.commitment : commitmentOf(decided.results.rows);
    else seal(`decided.${name}`, value as Json);
  }
  for (const [index, audit] of audits.entries()) seal(`audits.${index}`, audit as Json);
  return seals;
}

/** What certificates are chained by: it does not change when audits are added, or results are opened. */
export function hashOfDecided(seals: Readonly<Record<string, string>>): string {
  return hashOf(Object.fromEntries(Object.entries(seals).filter(([path]) => path.startsWith("decided."))));
}

/** What is signed: everything but the signature, by its seals. */
export function signedText({ format, version, hash, seals }: Omit<Certificate, "signature">): string {
  return canonicalJson({ format, version, hash, seals });
}

/** A certificate of these parts, without a signature: that of an earlier form does not fit it. */
export function sealed(
  decided: Decided,
  audits: readonly Audited[],
  version: Certificate["version"] = certificateVersion,
): Certificate {
  const seals = sealsOf({ decided, audits: [...audits] });
  return {
    format: certificateFormat,
    version,
    hash: hashOfDecided(seals),
    decided,
    audits: [...audits],
    seals,
    signature: null,
  };
}
