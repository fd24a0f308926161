import { z } from "zod";
import { guardFindingSchema, openingSchema, probeResultSchema } from "../../foundation/contract/index.ts";
import { resultsRowSchema } from "./rows.ts";

/** Rises when a certificate changes its shape in a way that old readers cannot read. */
export const certificateVersion = 1;
export const certificateFormat = "whetstone certificate";

/** SHA-256 in hexadecimal. */
const hash = z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in lower-case hexadecimal");
const count = z.number().int().min(0);
const described = z.record(z.string(), z.json());

const weightsSchema = z.strictObject({
  checkpoint: z.string(),
  /** Over the names and bytes of all files of the checkpoint; null where it was not kept. */
  files: hash.nullable(),
  /** The file of weights alone: an exported folder holds the same. Null where there is none, as at an engine far away. */
  weights: hash.nullable(),
});

const planted = z.strictObject({ kept: count, of: count });

/** What was decided and on what: made once, and never changed. */
export const decidedSchema = z.strictObject({
  run: z.strictObject({ id: z.string(), name: z.string(), round: z.number().int().min(1) }),
  made: z.strictObject({
    whetstone: z.string(),
    node: z.string(),
    engine: z.string(),
    device: z.string(),
  }),
  /** The decision seed, and its hash as `round-started` told it before training. */
  seed: z.strictObject({ hash, value: z.string() }),
  configuration: z.strictObject({ hash, description: described }),
  protocol: z.strictObject({ hash, content: described }),
  // Nothing is left to a default: what is missing is a fault.
  opening: z.strictObject({ ...openingSchema.shape, opening: z.number().int().min(1), reused: z.boolean() }),
  decision: z.strictObject({ decision: z.literal("promote"), reason: z.string() }),
  guards: z.array(guardFindingSchema.strict()),
  probes: z.array(probeResultSchema.strict()),
  /** Digests of the items, in order: a list a block, and of each probe all of its own. */
  items: z.strictObject({
    blocks: z.array(z.array(hash)),
    probes: z.array(z.strictObject({ probe: z.string(), items: z.array(hash) })),
  }),
  results: z.strictObject({
    /** SHA-256 of the rows as JSON lines. */
    commitment: hash,
    /** A row a block, then a row a probe; null while results on reused items are sealed. */
    rows: z.array(resultsRowSchema).nullable(),
  }),
  /** Openings on the same decision items before this one; whether they promoted, where that is known. */
  history: z.array(
    z.strictObject({
      opening: z.number().int().min(1),
      run: z.string(),
      round: z.number().int().min(1),
      promoted: z.boolean().nullable(),
    }),
  ),
  /** Results on these items that a person looked at before: the bound then no longer holds. */
  opened: z.array(
    z.strictObject({ opening: z.number().int().min(1), run: z.string(), round: count, reason: z.string() }),
  ),
  weights: z.strictObject({ champion: weightsSchema, candidate: weightsSchema }),
  /** Artifacts that the candidate learnt from: selections, and rollouts that were kept. */
  data: z.strictObject({ selections: z.array(hash), rollouts: z.array(hash) }),
  /** How the verifier judged answers of known truth, and the labels that were trained on; null where not measurable. */
  integrity: z.strictObject({
    planted: z.strictObject({ right: planted, wrong: planted }).nullable(),
    labels: z.strictObject({ judged: count, right: count }).nullable(),
  }),
  /** The certificate before it in its folder. */
  previous: z.strictObject({ run: z.string(), round: z.number().int().min(1), hash }).nullable(),
});
export type Decided = z.infer<typeof decidedSchema>;

/** The gain on audit items, with what it is computed from: one entry a stratum of the estimand. */
export const auditedSchema = z.strictObject({
  comparison: z.enum(["previous-champion", "base"]),
  before: z.string(),
  after: z.string(),
  strata: z.array(
    z.strictObject({
      stratum: z.string(),
      weight: z.number(),
      whole: z.boolean(),
      items: z.array(hash),
      differences: z.array(z.number().min(-1).max(1)),
      voids: z.array(count),
    }),
  ),
  gain: z.strictObject({
    mean: z.number(),
    interval: z.strictObject({ low: z.number(), high: z.number() }),
    pairs: count,
  }),
});
export type Audited = z.infer<typeof auditedSchema>;

const signatureSchema = z.strictObject({
  algorithm: z.literal("ed25519"),
  /** SubjectPublicKeyInfo, DER, base64. */
  publicKey: z.string(),
  value: z.string(),
});

/** One promotion, so that a stranger can check it. */
export const certificateSchema = z.strictObject({
  format: z.literal(certificateFormat),
  version: z.literal(certificateVersion),
  /** SHA-256 over the seals of what was decided: what the next certificate is chained to. */
  hash,
  decided: decidedSchema,
  /** Added once they are stored: against the champion before, and against the base at the end of a run. */
  audits: z.array(auditedSchema),
  /** SHA-256 of each part, by its path: so that a change can be named. */
  seals: z.record(z.string(), hash),
  signature: signatureSchema.nullable(),
});
export type Certificate = z.infer<typeof certificateSchema>;
