import { byteLevelTokenizer } from "./byte-level.ts";
import { unsupportedGguf } from "./gguf-error.ts";
import { required, textOf, truthOf } from "./metadata.ts";
import type { Gguf } from "./read-gguf.ts";
import { sentencePieceTokenizer } from "./sentence-piece.ts";
import { type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** The files of a Hugging Face folder that say how texts become tokens, and the ids that `config.json` names too. */
export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
  readonly generation: object;
  readonly ids: Readonly<Record<string, unknown>>;
}

const kinds = { gpt2: byteLevelTokenizer, llama: sentencePieceTokenizer } as const;

/** Throws user errors `gguf-invalid` and `gguf-unsupported`. */
export function tokenizerFiles(gguf: Gguf, maxPositions: number): TokenizerFiles {
  const kind = required(textOf, gguf, "tokenizer.ggml.model");
  if (!(kind in kinds))
    throw unsupportedGguf(
      gguf.path,
      `has a tokenizer of the kind ${kind}, and those that are known here are ${Object.keys(kinds).join(", ")}`,
    );
  const vocabulary = vocabularyOf(gguf);
  const { definition, begins } = kinds[kind as keyof typeof kinds](gguf, vocabulary);
  const begin = (truthOf(gguf, "tokenizer.ggml.add_bos_token") ?? begins) ? vocabulary.begin : undefined;
  const text = (id: number | undefined): string | undefined =>
    id === undefined ? undefined : vocabulary.tokens[id];
  const ids = {
    ...(vocabulary.begin === undefined ? {} : { bos_token_id: vocabulary.begin }),
    eos_token_id: vocabulary.end,
    ...(vocabulary.padding === undefined ? {} : { pad_token_id: vocabulary.padding }),
  };
  const ends = [vocabulary.end, ...vocabulary.alsoEnd];
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      ...definition,
      post_processor: begin === undefined ? null : beginning(begin, vocabulary),
    },
    tokenizerConfig: {
      tokenizer_class: "PreTrainedTokenizerFast",
      add_bos_token: begin !== undefined,
      bos_token: text(vocabulary.begin),
      eos_token: text(vocabulary.end),
      unk_token: text(vocabulary.unknown),
      pad_token: text(vocabulary.padding),
      model_max_length: maxPositions,
      clean_up_tokenization_spaces: false,
      chat_template: textOf(gguf, "tokenizer.chat_template"),
    },
    generation: { ...ids, eos_token_id: ends.length === 1 ? vocabulary.end : ends },
    ids,
  };
}

/** Puts the begin token before every text. */
function beginning(begin: number, { tokens }: Vocabulary): object {
  const content = tokens[begin] as string;
  const special = { SpecialToken: { id: content, type_id: 0 } };
  const sequence = (id: "A" | "B") => ({ Sequence: { id, type_id: id === "A" ? 0 : 1 } });
  return {
    type: "TemplateProcessing",
    single: [special, sequence("A")],
    pair: [special, sequence("A"), special, sequence("B")],
    special_tokens: { [content]: { id: content, ids: [begin], tokens: [content] } },
  };
}
