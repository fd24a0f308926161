import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer } from "../../text/index.ts";
import { convertGguf } from "./convert-gguf.ts";
import { smallModel } from "./testing/small-model.ts";
import { type Content, ggufBytes } from "./testing/write-gguf.ts";

interface Golden {
  readonly model: string;
  readonly pre?: string;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges?: readonly string[];
  readonly scores?: readonly number[];
  readonly ids: readonly (readonly number[])[];
}

/** Made by `fixtures/make_tokenizers.py` with the libraries whose tokenizers these are. */
const { texts, tokenizers } = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/tokenizers.json"), "utf8"),
) as { readonly texts: readonly string[]; readonly tokenizers: readonly Golden[] };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-gguf-tokenizer-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The small model with another vocabulary, which its embeddings do not mind. */
function contentOf(golden: Golden, more: Content["metadata"] = {}): Content {
  const { model, pre, tokens, types, merges, scores } = golden;
  const kept = Object.entries(smallModel.metadata).filter(([name]) => !name.startsWith("tokenizer."));
  return {
    ...smallModel,
    metadata: {
      ...Object.fromEntries(kept),
      "tokenizer.ggml.model": model,
      ...(pre === undefined ? {} : { "tokenizer.ggml.pre": pre }),
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": types,
      ...(merges === undefined ? {} : { "tokenizer.ggml.merges": merges }),
      // A list of whole numbers would be written as integers.
      ...(scores === undefined ? {} : { "tokenizer.ggml.scores": scores.map((score) => score - 0.5) }),
      "tokenizer.ggml.bos_token_id": 1,
      "tokenizer.ggml.eos_token_id": 2,
      ...(model === "llama" ? { "tokenizer.ggml.unknown_token_id": 0 } : {}),
      ...more,
    },
  };
}

async function convert(content: Content): Promise<string> {
  const into = await mkdtemp(join(folder, "model-"));
  await writeFile(join(into, "model.gguf"), ggufBytes(content));
  await mkdir(join(into, "folder"));
  await convertGguf({ path: join(into, "model.gguf"), folder: join(into, "folder") });
  return join(into, "folder");
}

const json = async (path: string, name: string) => JSON.parse(await readFile(join(path, name), "utf8"));

describe.each(tokenizers.map((golden) => [golden.pre ?? "SentencePiece", golden] as const))(
  "a tokenizer of the kind %s",
  (_name, golden) => {
    test("gives the ids of its own library, and the texts back", async () => {
      const tokenizer = await loadTokenizer(await convert(contentOf(golden)));
      const byNfc = golden.pre === "qwen2";
      for (const [i, text] of texts.entries()) {
        expect({ text, ids: [...tokenizer.encode(text)] }).toEqual({ text, ids: golden.ids[i] });
        const whole = text.replaceAll(/<\|\w+\|>/g, "");
        if (whole === text)
          expect(tokenizer.decode(tokenizer.encode(text))).toBe(byNfc ? text.normalize("NFC") : text);
      }
      expect(tokenizer.endToken).toBe(2);
      const begins = golden.model === "llama" || golden.pre === "llama-bpe";
      expect(tokenizer.beginToken).toBe(begins ? 1 : undefined);
    });
  },
);

describe("what a GGUF file says of its tokenizer", () => {
  const [gpt2] = tokenizers;
  if (gpt2 === undefined) throw new Error("no golden tokenizer");

  test("whether it begins texts, which tokens end an answer, and the chat template", async () => {
    const path = await convert(
      contentOf(gpt2, {
        "tokenizer.ggml.add_bos_token": true,
        "tokenizer.ggml.eot_token_id": 0,
        "tokenizer.chat_template": "{{ messages }}",
      }),
    );
    expect(await loadTokenizer(path)).toMatchObject({ beginToken: 1, endToken: 2 });
    expect(await json(path, "generation_config.json")).toEqual({ bos_token_id: 1, eos_token_id: [2, 0] });
    expect(await json(path, "tokenizer_config.json")).toMatchObject({
      chat_template: "{{ messages }}",
      bos_token: "<|im_start|>",
      eos_token: "<|im_end|>",
      model_max_length: 64,
    });
  });

  test("ids that only fill the table up are no tokens", async () => {
    const padded = {
      ...gpt2,
      tokens: [...gpt2.tokens, "[PAD420]"],
      types: [...gpt2.types, 5],
    };
    const tokenizer = await loadTokenizer(await convert(contentOf(padded)));
    expect(tokenizer.vocabularySize).toBe(gpt2.tokens.length);
    expect(tokenizer.decode(tokenizer.encode("[PAD420]"))).toBe("[PAD420]");
  });

  test.each([
    [
      { "tokenizer.ggml.pre": "tekken" },
      "gguf-unsupported",
      /in the way tekken .* known here are gpt-2, smollm/,
    ],
    [{ "tokenizer.ggml.model": "t5" }, "gguf-unsupported", /of the kind t5, .* gpt2, llama/],
    [{ "tokenizer.ggml.eos_token_id": 5000 }, "gguf-invalid", /names 5000 as its eos token/],
    [{ "tokenizer.ggml.token_type": [1] }, "gguf-invalid", /420 tokens and 1 token types/],
    [{ "tokenizer.ggml.merges": 1 }, "gguf-invalid", /does not say its tokenizer\.ggml\.merges/],
    [{ "tokenizer.ggml.model": "llama" }, "gguf-invalid", /tokenizer\.ggml\.scores/],
  ])("%j is refused", async (change, code, message) => {
    const refused = { code, message: expect.stringMatching(message) };
    await expect(convert(contentOf(gpt2, change))).rejects.toMatchObject(refused);
  });
});
