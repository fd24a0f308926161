import { z } from "zod";

const count = z.number().int().min(0);

const sampleSchema = z
  .object({ id: z.string(), prompt: z.string(), answer: z.string() })
  .describe("an example, its texts cut where they are long; `id` can be traced");

const verifierSchema = z
  .object({ name: z.string(), version: z.number(), hash: z.string() })
  .describe("`hash`: SHA-256 of its name, version and description");

const placeSchema = {
  run: z.string(),
  round: count.describe("0 is the preparation"),
  role: z.string(),
};

const writerSchema = z
  .object({
    checkpoint: z.string().nullable().describe("the weights; null where no record says it"),
    role: z.string(),
  })
  .describe("which weights wrote the answers");

const keptSchema = z
  .object({ method: z.string(), reward: z.string().nullable(), verifier: verifierSchema, ...placeSchema })
  .describe("the pass that made the answers, what chose among them, and the task's verifier of then");

const originFields = {
  kind: z
    .enum(["demonstrations", "answers"])
    .describe("written by the task, a file or a person; or by a model"),
  items: z
    .object({ kind: z.enum(["generator", "file", "document", "model", "other"]), name: z.string() })
    .describe("where the prompts came from"),
  real: z.boolean().describe("no model wrote the prompts or the answers"),
  writer: writerSchema.nullable().describe("null for demonstrations"),
  kept: keptSchema.nullable().describe("null for demonstrations, and where no record says it"),
  rollouts: z.string().nullable().describe("the artifact that holds the rollouts, where they were stored"),
};

const documentSchema = z
  .object({
    sha256: z.string().describe("of the whole document, in UTF-8"),
    from: count,
    to: count.describe(
      "the characters (UTF-16) that were shown: from the first, up to the last, which is left out",
    ),
    file: z
      .string()
      .nullable()
      .describe("the file that the document is a line of; null for a text that stands in none"),
    line: count.nullable(),
  })
  .describe("the stretch of a document that the item was made from, also where a model made it");

const sourceSchema = z.object({
  ...originFields,
  examples: count.describe("different examples"),
  times: count.describe("how often all of them together were in a batch"),
  tokens: count.describe("tokens that were trained on them, each time counted"),
  samples: z.array(sampleSchema),
});

const trainingSchema = z.object({
  stage: z.enum(["prepare", "optimize"]),
  part: z.string().describe("the pass"),
  steps: z.tuple([count, count]).describe("optimiser steps [from, to), or repetitions of the pass"),
  method: z.string(),
  reward: z.string().nullable(),
  task: z.object({ name: z.string(), version: z.number() }),
  verifier: verifierSchema,
  tokens: count,
  realTokens: count,
  sources: z.array(sourceSchema),
});

const weightsSchema = z.object({
  checkpoint: z.string(),
  run: z.string().nullable(),
  round: count.nullable(),
  role: z.string().nullable(),
  from: z.string().nullable().describe("the weights that were trained on; null at a root"),
  training: trainingSchema.nullable().describe("null at a root, and where no lineage was kept"),
  model: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("at a root: the model as the run's config describes it"),
});

const roundSchema = z.object({
  run: z.string(),
  round: count,
  tokens: count.describe("trained in the round, over all roles"),
  realTokens: count,
  realShare: z.number().nullable(),
});

const behind = {
  weights: z
    .array(weightsSchema)
    .describe(
      "each weights once: first those asked for and what they were trained on from, newest first, then those that wrote their answers",
    ),
  rounds: z.array(roundSchema).describe("the rounds that made these weights, oldest first"),
  unreadable: z
    .array(z.string())
    .describe("records that are missing or damaged: what they would say is not there"),
};

export const checkpointTraceSchema = z.object({
  kind: z.literal("checkpoint"),
  checkpoint: z.string(),
  tokens: count.describe("trained into these weights, from their root on"),
  realTokens: count,
  realShare: z.number().nullable(),
  ...behind,
});

export const exampleTraceSchema = z.object({
  kind: z.literal("example"),
  id: z.string(),
  prompt: z.string(),
  answer: z.string(),
  item: z.string().describe("canonical form of the item"),
  tokens: count.describe("tokens of the answer, its end included"),
  origins: z.array(
    z.object({
      ...originFields,
      source: z
        .string()
        .describe("the item's own source: a generator, a file and line, a document, a rollout"),
      line: count.nullable().describe("the line of the file"),
      document: documentSchema.nullable(),
      sample: count.nullable(),
      stepsAfter: count.nullable().describe("optimiser steps past the writer's weights"),
      place: z
        .object({ group: count, rollout: count })
        .nullable()
        .describe("where the rollout stands in its artifact: line and rollout of the line, from 0"),
      trainedInto: z.array(z.object({ checkpoint: z.string(), ...placeSchema, times: count, tokens: count })),
    }),
  ),
  ...behind,
});

export const matchesSchema = z.object({
  kind: z.literal("matches"),
  of: z.string(),
  total: count.describe("examples that fit; the first are listed"),
  matches: z.array(sampleSchema.extend({ as: z.enum(["id", "answer", "prompt"]), real: z.boolean() })),
  unreadable: z.array(z.string()),
});

/** What `whetstone trace --json` prints. */
export const traceSchema = z.discriminatedUnion("kind", [
  checkpointTraceSchema,
  exampleTraceSchema,
  matchesSchema,
]);
export type Trace = z.infer<typeof traceSchema>;
export type CheckpointTrace = z.infer<typeof checkpointTraceSchema>;
export type ExampleTrace = z.infer<typeof exampleTraceSchema>;
export type TraceMatches = z.infer<typeof matchesSchema>;
export type TracedWeights = z.infer<typeof weightsSchema>;
export type TracedSource = z.infer<typeof sourceSchema>;
export type TracedRound = z.infer<typeof roundSchema>;
export type TracedOrigin = Pick<TracedSource, keyof typeof originFields>;
