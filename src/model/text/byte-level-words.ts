import type { Part, TokenizerDefinition } from "./tokenizer-json.ts";

/** GPT-2's pattern, which byte-level vocabularies split texts by where they name no other. */
const pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The same tokenizer, with that pattern written out. The library's own copy of it takes the byte order mark for white space,
 * and U+0085 for none; patterns that stand in `tokenizer.json` it reads as Python's tokenizers do.
 */
export function withWrittenPattern(definition: TokenizerDefinition): TokenizerDefinition {
  const { pre_tokenizer: part } = definition;
  if (part === null) return definition;
  const parts = part.type === "Sequence" && Array.isArray(part.pretokenizers) ? part.pretokenizers : [part];
  return { ...definition, pre_tokenizer: { type: "Sequence", pretokenizers: parts.flatMap(written) } };
}

function written(part: Part): readonly Part[] {
  // A space that is put before a text must be there when it is split.
  if (part.type !== "ByteLevel" || part.use_regex === false || part.add_prefix_space !== false) return [part];
  const split: Part = { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
  return [split, { ...part, use_regex: false }];
}
