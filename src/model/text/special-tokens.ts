import type { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { invalid, type JsonObject } from "./folder-json.ts";

interface Configs {
  readonly config: JsonObject;
  /** `generation_config.json` and `config.json`, in the order in which they are asked. */
  readonly folderConfigs: readonly JsonObject[];
  /** Of `tokenizer.json`, for messages. */
  readonly path: string;
}

/** A token of `tokenizer_config.json`: its text, or an object that holds it. */
export function tokenText(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const { content } = (token ?? {}) as { content?: unknown };
  return typeof content === "string" ? content : undefined;
}

const names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** The special tokens that have a name, as chat templates read them. */
export function namedTokens(config: JsonObject): Record<string, string> {
  const texts = names.map((name) => [name, tokenText(config[name])] as const);
  return Object.fromEntries(texts.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Every token that ends a generation, the end of a response first. */
export function stopTokensOf(endToken: number, folderConfigs: readonly JsonObject[]): number[] {
  const named = folderConfigs.flatMap((config) => idsOf([config], "eos_token_id"));
  return [...new Set([endToken, ...named])];
}

function idsOf(configs: readonly JsonObject[], name: string): readonly number[] {
  for (const config of configs) {
    const ids = [config[name]].flat().filter((id): id is number => Number.isInteger(id));
    if (ids.length > 0) return ids;
  }
  return [];
}

/**
 * The token that ends a response. Of several that end a generation it is the one that the tokenizer calls its end, if
 * that is among them. Throws `tokenizer-invalid` where none is named.
 */
export function endTokenOf({
  idOf,
  config,
  folderConfigs,
  path,
}: Configs & { readonly idOf: (token: string) => number | undefined }): number {
  const ids = idsOf(folderConfigs, "eos_token_id");
  const text = tokenText(config.eos_token);
  const named = text === undefined ? undefined : idOf(text);
  if (named !== undefined && (ids.length === 0 || ids.includes(named))) return named;
  const [first] = ids;
  if (first === undefined)
    throw invalid(
      path,
      "goes with no end token: tokenizer_config.json needs an eos_token that is in the vocabulary",
    );
  return first;
}

/**
 * The token before every text, if there is one: `add_bos_token` says whether; where nothing says so, it is what the
 * post-processor puts before a text. Throws `tokenizer-invalid` where it is wanted and not named.
 */
export function beginTokenOf({
  tokenizer,
  config,
  folderConfigs,
  path,
}: Configs & { readonly tokenizer: HuggingFaceTokenizer }): number | undefined {
  if (config.add_bos_token === false) return undefined;
  const text = tokenText(config.bos_token);
  const named = text === undefined ? idsOf(folderConfigs, "bos_token_id")[0] : tokenizer.token_to_id(text);
  if (config.add_bos_token === true) {
    if (named !== undefined) return named;
    throw invalid(path, "goes with no begin token, which add_bos_token in tokenizer_config.json asks for");
  }
  const [first] = tokenizer.encode("").ids;
  return first !== undefined && first === (named ?? first) && beginsTemplate(tokenizer, first)
    ? first
    : undefined;
}

/** Whether it stands before the text and not behind it. */
function beginsTemplate(tokenizer: HuggingFaceTokenizer, token: number): boolean {
  const plain = tokenizer.encode("0", { add_special_tokens: false }).ids;
  const framed = tokenizer.encode("0").ids;
  return framed[0] === token && framed.length > plain.length;
}
