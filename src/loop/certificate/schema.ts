import { z } from "zod";
import { guardFindingSchema, openingSchema, probeResultSchema } from "../../foundation/contract/index.ts";
import { resultsRowSchema } from "./rows.ts";

/** Rises when a certificate changes its shape in a way that old readers cannot read. */
export const certificateVersion = 4;
/** Certificates of before it was said what kept a candidate that the gate found better from being promoted. */
const withoutHeldBack = 3;
/** Certificates of before it was said what each earlier opening spent. */
const withoutSpent = 2;
/** Certificates of before it was said how far the run's own reward can be believed; they are read, and kept as they are. */
const withoutReward = 1;
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

const kept = z.strictObject({ kept: count, of: count });
const knownTruth = z.strictObject({ right: kept, wrong: kept });
/** A share, and the ends of its 95 % interval; of p*, what the ends of the intervals of φ and ψ make of it. */
const share = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

/** How far the run's own reward can be believed, by what it kept of the round's answers (design §8, verifier integrity). */
const rewardSchema = z.strictObject({
  /** How the method uses what the reward keeps. */
  learnsBy: z.enum(["imitation", "policy-gradient", "preference"]),
  /** The reward is the task's only judge of truth: then nothing is known of it by these answers. */
  circular: z.boolean(),
  /** The model's own answers, by the task's truth, and what the reward kept of them; null where that is not measurable. */
  answers: knownTruth.nullable(),
  /** φ, ψ, the share p of wrong answers before the reward, and p*; null where they are not measurable. */
  phi: share.nullable(),
  psi: share.nullable(),
  wrong: share.nullable(),
  breakdown: share.nullable(),
});
export type RewardIntegrity = z.infer<typeof rewardSchema>;

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
  /** Openings on the same decision items before this one; whether the gate would promote, where that is known: the one bit that left it. */
  history: z.array(
    z.strictObject({
      opening: z.number().int().min(1),
      run: z.string(),
      round: z.number().int().min(1),
      promoted: z.boolean().nullable(),
      /** What it spent of the chance of a false promotion, by the α of its run; null where that is not known any more. */
      spent: z.number().positive().nullable().optional(),
      /**
       * Why a candidate that the gate would promote was not: a `person` rejected it, it was `stale` before it was answered, it still
       * `waits`, or decisions are only `recorded`. Null where it was promoted, or the gate would not.
       */
      heldBack: z.enum(["person", "stale", "waits", "recorded"]).nullable().optional(),
    }),
  ),
  /** Results on these items that a person looked at before: the bound then no longer holds. */
  opened: z.array(
    z.strictObject({ opening: z.number().int().min(1), run: z.string(), round: count, reason: z.string() }),
  ),
  weights: z.strictObject({
    champion: weightsSchema,
    candidate: weightsSchema,
    /** Of the roles that the harness asks beside these, where it asks any. */
    asked: z
      .array(z.strictObject({ role: z.string(), champion: weightsSchema, candidate: weightsSchema }))
      .optional(),
  }),
  /** Artifacts that the candidate learnt from: selections, and rollouts that were kept. */
  data: z.strictObject({ selections: z.array(hash), rollouts: z.array(hash) }),
  /**
   * How the verifier judged answers of known truth, and the labels that were trained on; null where not measurable. And the
   * reward, which certificates of version 1 do not speak of.
   */
  integrity: z.strictObject({
    planted: knownTruth.nullable(),
    labels: z.strictObject({ judged: count, right: count }).nullable(),
    reward: rewardSchema.optional(),
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
export const certificateSchema = z
  .strictObject({
    format: z.literal(certificateFormat),
    version: z.literal([certificateVersion, withoutHeldBack, withoutSpent, withoutReward]),
    /** SHA-256 over the seals of what was decided: what the next certificate is chained to. */
    hash,
    decided: decidedSchema,
    /** Added once they are stored: against the champion before, and against the base at the end of a run. */
    audits: z.array(auditedSchema),
    /** SHA-256 of each part, by its path: so that a change can be named. */
    seals: z.record(z.string(), hash),
    signature: signatureSchema.nullable(),
  })
  .superRefine(({ version, decided }, { addIssue }) => {
    for (const [index, one] of decided.history.entries())
      for (const [name, since] of [
        ["spent", withoutSpent],
        ["heldBack", withoutHeldBack],
      ] as const)
        if (version > since === (one[name] === undefined))
          addIssue({
            code: "custom",
            path: ["decided", "history", index, name],
            message: `${one[name] === undefined ? "is missing in a" : "stands in no"} certificate of version ${version}`,
          });
    if ((version === withoutReward) !== (decided.integrity.reward === undefined))
      addIssue({
        code: "custom",
        path: ["decided", "integrity", "reward"],
        message: `${version === withoutReward ? "stands in no" : "is missing in a"} certificate of version ${version}`,
      });
  });
export type Certificate = z.infer<typeof certificateSchema>;
