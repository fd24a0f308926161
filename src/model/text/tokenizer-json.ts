import { z } from "zod";
import { invalid, parseObject } from "./folder-json.ts";

const part = z.looseObject({ type: z.string() });

/** As much of `tokenizer.json` as is read here; the rest is the library's affair. */
const definitionSchema = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({
        id: z.number().int().min(0),
        content: z.string(),
        special: z.boolean().default(false),
      }),
    )
    .nullish()
    .transform((tokens) => tokens ?? []),
  normalizer: part.nullish().transform((value) => value ?? null),
  pre_tokenizer: part.nullish().transform((value) => value ?? null),
  post_processor: part.nullish().transform((value) => value ?? null),
  decoder: part.nullish().transform((value) => value ?? null),
  model: z.looseObject({
    type: z.string().optional(),
    unk_token: z.string().nullish(),
    byte_fallback: z.boolean().nullish(),
    vocab: z.union([z.record(z.string(), z.number().int().min(0)), z.array(z.unknown())]),
  }),
});

export type TokenizerDefinition = z.output<typeof definitionSchema>;
export type Part = z.output<typeof part>;

/** Throws `tokenizer-invalid`. */
export function readDefinition(path: string, text: string): TokenizerDefinition {
  const result = definitionSchema.safeParse(parseObject(path, text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(path, `makes no tokenizer ("${issue?.path.join(".")}": ${issue?.message})`, result.error);
}

/** A component's parts: itself, or what a sequence of components holds. */
export function partsOf(component: Part | null): readonly Part[] {
  if (component === null) return [];
  if (component.type !== "Sequence") return [component];
  const { decoders, pretokenizers, normalizers } = component;
  const members = decoders ?? pretokenizers ?? normalizers ?? [];
  return Array.isArray(members) ? members.flatMap((member) => partsOf(member as Part)) : [];
}
