import { invalidGguf } from "./gguf-error.ts";
import { numbersOf, required, truthOf } from "./metadata.ts";
import type { Gguf } from "./read-gguf.ts";
import { addedTokens, idsOf, tokenTypes, type Vocabulary } from "./vocabulary.ts";

const space = "▁";

/**
 * A tokenizer of SentencePiece's BPE kind with bytes for what it has no token for (Llama 1 and 2, Mistral), as a
 * `tokenizer.json`: merges are made from the tokens' scores. Throws a user error `gguf-invalid`.
 */
export function sentencePieceTokenizer(gguf: Gguf, vocabulary: Vocabulary) {
  const scores = required(numbersOf, gguf, "tokenizer.ggml.scores");
  const { tokens, types, unknown } = vocabulary;
  if (scores.length !== tokens.length)
    throw invalidGguf(gguf.path, `has ${tokens.length} tokens and ${scores.length} scores`);
  const prefixed = truthOf(gguf, "tokenizer.ggml.add_space_prefix") ?? true;
  const replace = (from: string, content: string) => ({
    type: "Replace",
    pattern: { String: from },
    content,
  });
  const definition = {
    added_tokens: addedTokens(vocabulary),
    normalizer: {
      type: "Sequence",
      normalizers: [...(prefixed ? [{ type: "Prepend", prepend: space }] : []), replace(" ", space)],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        replace(space, " "),
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefixed ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown === undefined ? null : (tokens[unknown] ?? null),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: types.includes(tokenTypes.byte),
      ignore_merges: false,
      vocab: idsOf(vocabulary),
      merges: mergesOf(tokens, types, scores),
    },
  };
  return { definition, begins: true };
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
  /** Ids of both halves: of equal scores the earlier ones go first. */
  readonly order: readonly [number, number];
}

/** Every way to make a token of two, best first: SentencePiece merges the pair whose result has the best score. */
function mergesOf(
  tokens: readonly string[],
  types: readonly number[],
  scores: readonly number[],
): (readonly [string, string])[] {
  const ids = new Map(tokens.flatMap((token, id) => (types[id] === tokenTypes.normal ? [[token, id]] : [])));
  const merges: Merge[] = [];
  for (const [token, id] of ids) {
    const characters = [...token];
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join("");
      const right = characters.slice(cut).join("");
      const order = [ids.get(left), ids.get(right)] as const;
      if (order[0] !== undefined && order[1] !== undefined)
        merges.push({ left, right, score: scores[id] as number, order: order as [number, number] });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.order[0] - b.order[0] || a.order[1] - b.order[1]);
  return merges.map(({ left, right }) => [left, right]);
}
