import { unsupportedGguf } from "./gguf-error.ts";
import { required, textOf, textsOf } from "./metadata.ts";
import type { Gguf } from "./read-gguf.ts";
import { addedTokens, idsOf, type Vocabulary } from "./vocabulary.ts";

interface Splitting {
  readonly normalizer?: object;
  /** What divides a text before its bytes are merged. */
  readonly parts: readonly object[];
  /** A piece that is a token as it stands is not merged from its bytes. */
  readonly wholePieces?: boolean;
  readonly begins?: boolean;
}

const bytesOnly = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
/** With GPT-2's own way to divide a text. */
const gpt2 = { ...bytesOnly, use_regex: true };
const digits = { type: "Digits", individual_digits: true };

function pattern(numbers: string): object {
  const regex = [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+",
    numbers,
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*",
    "\\s*[\\r\\n]+",
    "\\s+(?!\\S)",
    "\\s+",
  ].join("|");
  return { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
}

const llama3: Splitting = {
  parts: [pattern("\\p{N}{1,3}"), bytesOnly],
  wholePieces: true,
  begins: true,
};
const qwen2: Splitting = { normalizer: { type: "NFC" }, parts: [pattern("\\p{N}"), bytesOnly] };
const oneDigit: Splitting = { parts: [digits, gpt2] };

/** By `tokenizer.ggml.pre`, the name that llama.cpp gives to a model family's way to divide a text. */
const splittings: Readonly<Record<string, Splitting>> = {
  "gpt-2": { parts: [gpt2] },
  smollm: oneDigit,
  starcoder: oneDigit,
  refact: oneDigit,
  "command-r": oneDigit,
  "llama-bpe": llama3,
  "llama-v3": llama3,
  llama3,
  qwen2,
  "deepseek-r1-qwen": qwen2,
};

/** A tokenizer that merges bytes (GPT-2's kind), as a `tokenizer.json`. Throws `gguf-invalid` and `gguf-unsupported`. */
export function byteLevelTokenizer(gguf: Gguf, vocabulary: Vocabulary) {
  const kind = textOf(gguf, "tokenizer.ggml.pre") ?? "none";
  const splitting = splittings[kind];
  if (splitting === undefined)
    throw unsupportedGguf(
      gguf.path,
      `divides texts in the way ${kind} (tokenizer.ggml.pre), and those that are known here are ${Object.keys(splittings).join(", ")}`,
    );
  const { normalizer = null, parts, wholePieces = false, begins = false } = splitting;
  const definition = {
    added_tokens: addedTokens(vocabulary),
    normalizer,
    pre_tokenizer: parts.length === 1 ? parts[0] : { type: "Sequence", pretokenizers: parts },
    decoder: { ...bytesOnly, add_prefix_space: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: wholePieces,
      vocab: idsOf(vocabulary),
      merges: required(textsOf, gguf, "tokenizer.ggml.merges"),
    },
  };
  return { definition, begins };
}
