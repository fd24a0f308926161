export interface CharacterVocabulary {
  readonly letters: readonly string[];
  /** Padding, begin and end, whose ids are 0, 1 and 2. */
  readonly specials: readonly string[];
}

/**
 * A character tokenizer as a Hugging Face folder holds it: byte-pair encoding without merges, which leaves every
 * character a token of its own. Like Llama's it puts the begin token first when special tokens are asked for.
 */
export function characterFiles({ letters, specials }: CharacterVocabulary): Record<string, string> {
  const [pad, begin, end] = specials;
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const special = (id: string | undefined) => ({ SpecialToken: { id, type_id: 0 } });
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [special(begin), sequence("A")],
      pair: [special(begin), sequence("A"), sequence("B")],
      special_tokens: {
        [begin as string]: { id: begin, ids: [specials.indexOf(begin as string)], tokens: [begin] },
      },
    },
    decoder: { type: "Fuse" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries([...specials, ...letters].map((token, id) => [token, id])),
      merges: [],
    },
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: begin,
    eos_token: end,
    pad_token: pad,
    add_bos_token: true,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
  };
  return { "tokenizer.json": json(tokenizer), "tokenizer_config.json": json(config) };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
