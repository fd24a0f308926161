import { basename, join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { messageOf, readOptions, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { TokenIds, Tokenizer } from "../../foundation/contract/index.ts";
import { withWrittenPattern } from "./byte-level-words.ts";
import { chatFormat, defaultToday, renderer } from "./chat-format.ts";
import { readChatTemplate } from "./chat-template.ts";
import { unknownFinder } from "./expressible.ts";
import { invalid, type JsonObject, readFolderJson, readText } from "./folder-json.ts";
import { beginTokenOf, endTokenOf, namedTokens, stopTokensOf, tokenText } from "./special-tokens.ts";
import { endTokenWritten, reservedTokens } from "./template-tokens.ts";
import { bytesOfTokens } from "./token-bytes.ts";
import { tokenizerHash } from "./tokenizer-hash.ts";
import { readDefinition } from "./tokenizer-json.ts";

export interface TokenizerOptions {
  /**
   * The day, in UTC, that chat templates with a calendar write. The same one always, 26 July 2024 if left out, so that a
   * run goes on as it began.
   */
  readonly today?: Date;
}

const optionsSchema = z.strictObject({ today: z.date().default(defaultToday) });

/**
 * The tokenizer of a Hugging Face folder. `tokenizer.json` says how text becomes tokens; the begin token is the one that
 * its post-processor puts first (or `add_bos_token` says so). The end token is what the folder's chat template writes after
 * an assistant's message; without one, what `generation_config.json`, `config.json` or `tokenizer_config.json` names first.
 * `chat` is there where the folder has a template (`chat_template.jinja`, or in `tokenizer_config.json` or
 * `chat_template.json`). Throws user errors `tokenizer-missing`, `tokenizer-invalid` and `chat-template-invalid`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * const tokenizer = await loadTokenizer(path);
 * tokenizer.decode(tokenizer.encode("123=")); // "123="
 */
export async function loadTokenizer(folder: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  readOptions("loadTokenizer()", z.string().min(1), folder);
  const { today } = readOptions("loadTokenizer()", optionsSchema, options);
  const path = join(folder, "tokenizer.json");
  const text = await readText(path);
  if (text === undefined) throw missing(folder);
  const definition = readDefinition(path, text);
  const config = await readConfig(folder);
  const unknown = tokenText(config.unk_token) ?? definition.model.unk_token ?? undefined;
  let tokenizer: HuggingFaceTokenizer;
  try {
    tokenizer = new HuggingFaceTokenizer(withWrittenPattern(definition), {
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
  const template = await readChatTemplate(folder, config);
  const variables = namedTokens(config);
  const render = template && renderer({ folder, template, variables, today });
  const { added_tokens: added } = definition;
  const written = render && endTokenWritten(render, added);
  const end = written ?? endTokenOf({ idOf, config, folderConfigs, path });
  const stops = stopTokensOf(end, folderConfigs);
  const bytes = bytesOfTokens(tokenizer.get_vocab(), definition);
  const special = new Set(added.filter((token) => token.special).map(({ id }) => id));
  const firstUnknown = unknownFinder(tokenizer, definition, unknown);
  const encode = (text: string): TokenIds => {
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    const character = firstUnknown(text, ids);
    if (character !== undefined) throw notInVocabulary(character, folder);
    return Int32Array.from(ids);
  };
  return {
    name: basename(folder),
    hash: tokenizerHash(text, begin, end, {
      ...(template && { template: template.text, variables, today: today.toISOString() }),
      ...(stops.length > 1 && { stops }),
    }),
    vocabularySize: bytes.length,
    ...(begin === undefined ? {} : { beginToken: begin }),
    endToken: end,
    stopTokens: stops,
    ...(render && {
      chat: chatFormat({ render, encode, endToken: end, reserved: reservedTokens(render, added, end) }),
    }),
    encode,
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

/** Older folders keep the special tokens in a file of their own, which counts where the newer form is absent. */
async function readConfig(folder: string): Promise<JsonObject> {
  const config = (await readFolderJson(folder, "tokenizer_config.json")) ?? {};
  if ("added_tokens_decoder" in config) return config;
  return { ...config, ...(await readFolderJson(folder, "special_tokens_map.json")) };
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
