import { z } from "zod";
import type { Json } from "../../base/index.ts";
import { readSource, type SourceParts, type TrainedExample } from "../../contract/index.ts";

/** Rises when records change in a way that old readers cannot read. */
const recordVersion = 1;

const columns = ["id", "times", "tokens", "item", "prompt", "answer", "source", "writer"];

const verifierSchema = z.object({
  name: z.string(),
  version: z.number(),
  /** SHA-256 of its name, version and description. */
  hash: z.string(),
});

export const trainingHeaderSchema = z.object({
  run: z.string(),
  round: z.number().int(),
  stage: z.enum(["prepare", "optimize"]),
  role: z.string(),
  /** The pass, and the optimiser steps [from, to) or repetitions of it. */
  part: z.string(),
  steps: z.tuple([z.number().int(), z.number().int()]),
  /** The weights that were made, and those that were trained on. */
  checkpoint: z.string(),
  from: z.string(),
  method: z.string(),
  /** What chose among the rollouts; null where there were none. */
  reward: z.string().nullable(),
  task: z.object({ name: z.string(), version: z.number() }),
  verifier: verifierSchema,
  /** The artifact of the rollouts, where they were stored. */
  rollouts: z.string().nullable(),
  /** Which weights each role wrote them with. */
  writers: z.record(z.string(), z.string()),
});
/** What a stretch of training was: the first row of its record. */
export type TrainingHeader = z.infer<typeof trainingHeaderSchema>;

const firstRowSchema = trainingHeaderSchema.extend({
  lineage: z.literal(recordVersion),
  columns: z.array(z.string()),
});

const count = z.number().int().min(0);
const rowSchema = z.tuple([
  z.string().regex(/^[0-9a-f]{32}$/),
  count,
  count,
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  /** Role, sample, artifact, group, rollout, and optimiser steps past the weights that the header names. */
  z.tuple([z.string(), count, z.string().nullable(), count, count, count]).nullable(),
]);

/** The rows of a training record: what it was, then an example a row, as a list in the order of `columns`. */
export function* trainingRows(header: TrainingHeader, examples: readonly TrainedExample[]): Generator<Json> {
  yield { lineage: recordVersion, columns, ...header };
  for (const { id, times, tokens, item, prompt, answer, source, writer } of examples)
    yield [id, times, tokens, item, prompt, answer, source, writer && writerRow(writer)];
}

function writerRow(writer: NonNullable<TrainedExample["writer"]>): Json {
  const { role, sample, artifact, group, rollout, stepsAfter } = writer;
  return [role, sample, artifact, group, rollout, stepsAfter];
}

/** Throws a ZodError for what {@link trainingRows} did not write. */
export function readHeader(row: Json | undefined): TrainingHeader {
  const { lineage: _, columns: __, ...header } = firstRowSchema.parse(row);
  return header;
}

/** Throws a ZodError for what {@link trainingRows} did not write. */
export function readExample(row: Json | undefined): TrainedExample {
  const [id, times, tokens, item, prompt, answer, source, writer] = rowSchema.parse(row);
  return { id, times, tokens, item, prompt, answer, source, writer: writer && readWriter(writer) };
}

function readWriter([role, sample, artifact, group, rollout, stepsAfter]: NonNullable<
  z.infer<typeof rowSchema>[7]
>): NonNullable<TrainedExample["writer"]> {
  return { role, sample, artifact, group, rollout, stepsAfter };
}

/** Examples that came from one place: a generator's or file's own answers, or the rollouts of one role in one pass. */
export interface ExampleOrigin {
  readonly kind: "demonstrations" | "answers";
  /** Where the items came from. */
  readonly items: SourceParts["kind"];
  readonly name: string;
  /** The artifact of the rollouts, where they were stored; null for demonstrations, and for rollouts that were not. */
  readonly rollouts: string | null;
  /** The role that wrote the answers. */
  readonly role: string | null;
  /** The weights that wrote them; null where they were stored: the record of the pass that stored them says it. */
  readonly writer: string | null;
}

/** Where an example of this record came from. */
export function originOf({ writers }: TrainingHeader, { source, writer }: TrainedExample): ExampleOrigin {
  const { kind: items, name } = readSource(source);
  if (writer === null)
    return { kind: "demonstrations", items, name, rollouts: null, role: null, writer: null };
  const { role, artifact } = writer;
  const unstored = artifact === null ? (writers[role] ?? null) : null;
  return { kind: "answers", items, name, rollouts: artifact, role, writer: unstored };
}

/** Whether what came from there was written by no model, prompt and answer (design §7, real share). */
export function isRealOrigin({ kind, items }: Pick<ExampleOrigin, "kind" | "items">): boolean {
  return kind === "demonstrations" && items !== "model";
}
