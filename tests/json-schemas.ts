import { z } from "zod";
import {
  askedSchema,
  baselineSchema,
  baselinesPlanSchema,
  costSchema,
  decisionSchema,
  gainSchema,
  guardFindingSchema,
  measurementSchema,
  meterReadingSchema,
  type RunEventType,
  runEventSchema,
  shownSampleSchema,
  stageNameSchema,
  trainingLossSchema,
} from "../src/foundation/contract/index.ts";
import type {
  CertificateCheck,
  Claim,
  ClaimStatus,
  Contradiction,
} from "../src/loop/run/check-certificate.ts";
import type { RoundStory, RunStory } from "../src/surface/report/index.ts";

const whole = z.int();
const measurement = measurementSchema.meta({ id: "measurement" });
const gain = gainSchema.meta({ id: "gain" });
const cost = costSchema.meta({ id: "cost" });
const shapeOf = (type: RunEventType) => {
  const found = runEventSchema.options.find(({ shape }) => shape.type.value === type);
  if (found === undefined) throw new Error(`there is no event ${type}`);
  return found.shape;
};

const { type: _started, run: _run, ...facts } = shapeOf("run-started") as Record<string, z.ZodType>;
const asked = shapeOf("question-asked") as Record<string, z.ZodType>;

const questionSchema = z
  .object({
    id: z.string(),
    round: whole,
    about: askedSchema,
    text: z.string(),
    details: asked.details ?? z.never(),
    askedAt: z.number(),
    answer: z
      .object({ answer: z.enum(["approve", "reject"]), why: z.string(), by: z.string(), at: z.number() })
      .nullable(),
    givenUp: z.boolean(),
  })
  .meta({ id: "question" });
const auditSchema = z.object({
  round: whole,
  before: measurement,
  after: measurement,
  gain,
});
const roundSchema = z
  .object({
    round: whole,
    plan: z.string().nullable(),
    startFrom: z.enum(["base", "champion", "candidate"]).nullable(),
    seedHash: z.string().nullable(),
    seed: z.string().nullable(),
    stages: z.array(
      z.object({
        stage: stageNameSchema,
        label: z.string(),
        since: z.number().nullable(),
        summary: z.string().nullable(),
        seconds: z.number().nullable(),
      }),
    ),
    checkpoint: z.string().nullable(),
    training: z
      .object({
        rollouts: z.number().nullable(),
        kept: z.number().nullable(),
        rawLabelAccuracy: z.number().nullable(),
        keptLabelAccuracy: z.number().nullable(),
        tokensTrained: z.number().nullable(),
        realShare: z.number().nullable(),
      })
      .nullable(),
    loss: trainingLossSchema.nullable(),
    validation: measurement.nullable(),
    validationGain: gain.nullable(),
    remedies: z.object({ learningRate: z.number(), realData: z.number() }).nullable(),
    readings: z.array(meterReadingSchema),
    findings: z.array(guardFindingSchema),
    decision: decisionSchema.nullable(),
    promoted: z.boolean(),
    certificate: z.string().nullable(),
    givenUp: z.boolean(),
    audit: auditSchema.nullable(),
    samples: z.array(shownSampleSchema),
    spent: cost.nullable(),
    seconds: z.number().nullable(),
    finished: z.boolean(),
  } satisfies Record<keyof RoundStory, z.ZodType>)
  .meta({ id: "round" });
const pause = { round: whole, at: z.number() };

const members = {
  run: z.string(),
  facts: z.object(facts).nullable(),
  engine: z
    .object({
      engine: z.string(),
      device: z.string(),
      workers: whole,
      seconds: z.number(),
      currency: z.string().optional(),
    })
    .nullable(),
  state: z.enum(["empty", "running", "interrupted", "finished", "stopped-by-guard", "budget-spent"]),
  reason: z.string().nullable(),
  stop: z.object(shapeOf("budget-spent")).nullable(),
  current: z
    .object({ round: whole, stage: stageNameSchema, label: z.string(), since: z.number().nullable() })
    .nullable(),
  preparation: roundSchema.nullable(),
  rounds: z.array(roundSchema),
  champion: z.object({ round: whole, checkpoint: z.string().nullable() }),
  audit: auditSchema.extend({ championRound: whole }).nullable(),
  gain: gain.nullable(),
  frontier: z
    .object({
      before: z.number().nullable(),
      after: z.number().nullable(),
      split: z.enum(["audit", "validation"]),
    })
    .nullable(),
  interruptions: z.array(z.object({ ...pause, reason: z.string() })),
  resumptions: z.array(z.object(pause)),
  rollbacks: z.array(z.object({ ...pause, from: whole, to: whole, reason: z.string() })),
  opened: z.array(z.object({ ...pause, opening: whole, reason: z.string() })),
  questions: z.array(questionSchema),
  baselines: z.object({
    plan: baselinesPlanSchema.nullable(),
    leftOut: z.string().nullable(),
    measured: z.array(baselineSchema),
  }),
  marginal: z
    .object({
      rounds: z.array(whole),
      gain: z.number(),
      interval: gainSchema.shape.interval.nullable(),
      room: z.number().nullable(),
      cost,
    })
    .nullable(),
  cost: cost.nullable(),
  startedAt: z.number().nullable(),
  lastAt: z.number().nullable(),
} satisfies Record<keyof RunStory, z.ZodType>;

/** What a run has come to, as `status --json` and `report --json` tell it. */
const storySchema = z.object(members).meta({ id: "story" });

const statusSchema = z.object({
  /** All runs of the folder, the oldest first. */
  runs: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      configHash: z.string(),
      description: z.unknown(),
      seed: z.number(),
      origin: z.unknown(),
      startedAt: z.number(),
    }),
  ),
  running: z.object({ processId: whole, startedAt: z.number(), bootId: z.string() }).nullable(),
  questions: z.array(questionSchema),
  story: storySchema,
});
const reportSchema = z.object({ report: z.string(), story: storySchema });

const claimStatus = ["verified", "recomputed", "trusted", "contradicted"] as const satisfies ClaimStatus[];
const contradiction = { field: z.string(), words: z.string() } satisfies Record<
  keyof Contradiction,
  z.ZodType
>;
const claim = {
  claim: z.string(),
  status: z.enum(claimStatus),
  words: z.string(),
  fields: z.array(z.string()),
  contradictions: z.array(z.object(contradiction)),
} satisfies Record<keyof Claim, z.ZodType>;
const certificateCheckSchema = z.object({
  file: z.string(),
  run: z.string().nullable(),
  round: whole.nullable(),
  hash: z.string().nullable(),
  verdict: z.enum(["holds", "contradicted"]),
  counts: z.object({
    verified: whole,
    recomputed: whole,
    trusted: whole,
    contradicted: whole,
  } satisfies Record<ClaimStatus, z.ZodType>),
  claims: z.array(z.object(claim)),
} satisfies Record<keyof CertificateCheck, z.ZodType>);

/** By the command whose `--json` prints it: the schemas that docs/schemas/ holds. */
export const outputSchemas = {
  status: statusSchema,
  report: reportSchema,
  "certificate-check": certificateCheckSchema,
} as const;
