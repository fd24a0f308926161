import { basename, join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { messageOf, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { Tokenizer } from "../../foundation/contract/index.ts";
import { unknownFinder } from "./expressible.ts";
import { invalid, readFolderJson, readText } from "./folder-json.ts";
import { beginTokenOf, endTokenOf, tokenText } from "./special-tokens.ts";
import { bytesOfTokens } from "./token-bytes.ts";
import { tokenizerHash } from "./tokenizer-hash.ts";
import { readDefinition } from "./tokenizer-json.ts";

/**
 * The tokenizer of a Hugging Face folder. `tokenizer.json` says how text becomes tokens; the begin token is the one that
 * its post-processor puts first (or `add_bos_token` says so), the end token is what `generation_config.json`,
 * `config.json` or `tokenizer_config.json` names first. Throws user errors `tokenizer-missing` and `tokenizer-invalid`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * const tokenizer = await loadTokenizer(path);
 * tokenizer.decode(tokenizer.encode("123=")); // "123="
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, "tokenizer.json");
  const text = await readText(path);
  if (text === undefined) throw missing(folder);
  const definition = readDefinition(path, text);
  const config = (await readFolderJson(folder, "tokenizer_config.json")) ?? {};
  const unknown = tokenText(config.unk_token) ?? definition.model.unk_token ?? undefined;
  let tokenizer: HuggingFaceTokenizer;
  try {
    tokenizer = new HuggingFaceTokenizer(definition, {
      ...config,
      ...(unknown === undefined ? {} : { unk_token: unknown }),
      eos_token: tokenText(config.eos_token),
    });
  } catch (error) {
    throw invalid(path, `makes no tokenizer (${messageOf(error)})`, error);
  }
  const folderConfigs = [
    (await readFolderJson(folder, "generation_config.json")) ?? {},
    (await readFolderJson(folder, "config.json")) ?? {},
  ];
  const idOf = (token: string): number | undefined => tokenizer.token_to_id(token);
  const begin = beginTokenOf({ tokenizer, config, folderConfigs, path });
  const end = endTokenOf({ idOf, config, folderConfigs, path });
  const bytes = bytesOfTokens(tokenizer.get_vocab(), definition);
  const special = new Set(definition.added_tokens.filter((token) => token.special).map(({ id }) => id));
  const firstUnknown = unknownFinder(tokenizer, definition, unknown);
  return {
    name: basename(folder),
    hash: tokenizerHash(text, begin, end),
    vocabularySize: bytes.length,
    ...(begin === undefined ? {} : { beginToken: begin }),
    endToken: end,
    encode: (written) => {
      const { ids } = tokenizer.encode(written, { add_special_tokens: false });
      const character = firstUnknown(written, ids);
      if (character !== undefined) throw notInVocabulary(character, folder);
      return Int32Array.from(ids);
    },
    decode: (tokens) => {
      const known = Array.from(tokens).filter(
        (id) => !special.has(id) && tokenizer.id_to_token(id) !== undefined,
      );
      return known.length === 0
        ? ""
        : tokenizer.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    },
    tokenBytes: () => bytes,
  };
}

function missing(folder: string): WhetstoneError {
  return userError(
    "tokenizer-missing",
    `${folder} has no tokenizer.json. Download it with the model; where a model has only older files, write it once with ` +
      `Python: AutoTokenizer.from_pretrained("${folder}").save_pretrained("${folder}").`,
    { folder },
  );
}

function notInVocabulary(character: string, folder: string): WhetstoneError {
  return userError(
    "text-not-in-vocabulary",
    `The tokenizer of ${folder} has no token for ${JSON.stringify(character)}; use a model that knows it, or leave it out.`,
    { character },
  );
}
