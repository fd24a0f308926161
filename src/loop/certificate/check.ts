import type { KeyObject } from "node:crypto";
import type { z } from "zod";
import { type Claim, claim } from "./claim.ts";
import { auditClaims } from "./claims-of-audit.ts";
import { betClaims, decisionClaims, itemClaims, probeClaims } from "./claims-of-decision.ts";
import { chainClaim, protocolClaims, sealClaims, seedClaims, signatureClaim } from "./claims-of-form.ts";
import { integrityClaims } from "./claims-of-integrity.ts";
import { levelClaims } from "./claims-of-level.ts";
import { gateOf } from "./gate-of.ts";
import { type Certificate, certificateSchema } from "./schema.ts";

export interface CheckOptions {
  /** Whose signature is asked for. */
  readonly publicKey?: KeyObject | undefined;
  /** Certificates that lie beside it. */
  readonly others?: readonly Certificate[];
}

/** Claim by claim, what a certificate says and what can be said of that. Needs no ledger, no model and no engine. */
export async function checkClaims(value: unknown, options: CheckOptions = {}): Promise<Claim[]> {
  const read = certificateSchema.safeParse(value);
  if (!read.success) return [formClaim(read.error)];
  const certificate = read.data;
  const gate = gateOf(certificate.decided);
  const form = [
    formClaim(undefined),
    ...sealClaims(certificate),
    signatureClaim(certificate, options.publicKey),
    chainClaim(certificate, options.others ?? []),
    ...seedClaims(certificate),
    ...protocolClaims(certificate),
  ];
  if (gate === undefined)
    return [
      ...form,
      claim(
        "gate",
        "trusted",
        "the gate that the protocol describes",
        ["decided.protocol.content"],
        [{ field: "decided.protocol.content", words: "names no task, or no gate, that this version knows" }],
      ),
    ];
  return [
    ...form,
    ...itemClaims(certificate),
    ...levelClaims(certificate, gate),
    ...(await betClaims(certificate, gate)),
    ...(await probeClaims(certificate, gate)),
    ...decisionClaims(certificate),
    ...weightClaims(certificate),
    ...auditClaims(certificate, gate),
    ...integrityClaims(certificate),
  ];
}

function formClaim(error: z.ZodError | undefined): Claim {
  const contradictions = (error?.issues ?? []).map((issue) => ({
    field: [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys : [])].join("."),
    words: issue.message,
  }));
  return claim(
    "form",
    "verified",
    "it is a certificate of a form that this version knows, with every part of it",
    ["format", "version"],
    contradictions,
  );
}

/** Which weights, and from what: hashes that a replay or the project's folder can compare. */
function weightClaims({ decided }: Certificate): Claim[] {
  const { weights, run } = decided;
  const prefix = `${run.id}/round-${run.round}-`;
  const named = weights.candidate.checkpoint.startsWith(prefix)
    ? []
    : [
        { field: "decided.weights.candidate.checkpoint", words: `is not of round ${run.round} of ${run.id}` },
        { field: "decided.run", words: "did not make the candidate" },
      ];
  const alike =
    weights.candidate.checkpoint === weights.champion.checkpoint &&
    (weights.asked ?? []).every(({ champion, candidate }) => champion.checkpoint === candidate.checkpoint)
      ? [{ field: "decided.weights", words: "candidate and champion are the same" }]
      : [];
  return [
    claim(
      "weights",
      "trusted",
      "these are the hashes of the weights that were saved, loaded back and measured (--replay compares them)",
      ["decided.weights"],
      [...named, ...alike],
    ),
    claim("data", "trusted", "these are the hashes of all that the candidate learnt from", ["decided.data"]),
    claim("made-with", "trusted", "this is what it was made with", ["decided.made"]),
  ];
}

export type Verdict = "holds" | "contradicted";

/** Whether nothing contradicts it. */
export function verdictOf(claims: readonly Claim[]): Verdict {
  return claims.some(({ status }) => status === "contradicted") ? "contradicted" : "holds";
}
