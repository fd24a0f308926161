import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const sourceSchema = z.discriminatedUnion("kind", [
  /** A repository of the model hub, at one of its commits. */
  z.object({ kind: z.literal("hub"), repository: z.string(), revision: z.string() }),
  /** A file inside a package of the Python package index. */
  z.object({ kind: z.literal("package"), package: z.string(), version: z.string(), file: z.string() }),
  /** A GGUF file, as it was when it was read. */
  z.object({ kind: z.literal("file"), path: z.string(), bytes: z.number(), modifiedMs: z.number() }),
  z.object({ kind: z.literal("folder"), path: z.string() }),
]);
export type ModelSourceRecord = z.infer<typeof sourceSchema>;

const provenanceSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  source: sourceSchema,
  /** Of the file of weights that it was made from; of all of them one after the other where they are several. */
  sha256: z.string(),
  parameters: z.number(),
  /** How the weights were stored there, where they had to be converted. */
  quantisation: z.string().nullable(),
  licence: z.string().nullable(),
  /** When it came, in ISO 8601. */
  added: z.string(),
});
/** Where a stored model comes from: `whetstone-model.json` in its folder. */
export type Provenance = z.infer<typeof provenanceSchema>;

export const provenanceFile = "whetstone-model.json";

/** Undefined where there is none, or none that can be read: such a folder is no model of the store. */
export function readProvenance(folder: string): Provenance | undefined {
  try {
    const text = readFileSync(join(folder, provenanceFile), "utf8");
    return provenanceSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** In a few words, for people. */
export function describeSource(source: ModelSourceRecord): string {
  switch (source.kind) {
    case "hub":
      return `hub ${source.repository}@${source.revision.slice(0, 7)}`;
    case "package":
      return `package ${source.package} ${source.version}`;
    case "file":
    case "folder":
      return source.path;
  }
}
