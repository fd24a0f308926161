import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer } from "./index.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

let folder: string;
let copies = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-tokenizer-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A fixture with some of its files' members, or files of their own, replaced. */
async function copyWith(name: string, changes: Readonly<Record<string, object | string>>): Promise<string> {
  const copy = join(folder, `${name}-${++copies}`);
  await cp(fixture(name), copy, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const path = join(copy, file);
    const before = await readFile(path, "utf8").then(JSON.parse, () => ({}));
    await writeFile(path, typeof change === "string" ? change : JSON.stringify({ ...before, ...change }));
  }
  return copy;
}

const utf8 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("utf8");

// What is expected is what Python's transformers says (fixtures/make.py).
describe.each(["byte-level", "byte-fallback", "unigram", "words", "characters"])(
  "loadTokenizer: %s",
  (name) => {
    test("encodes and decodes as Python's transformers does", async () => {
      const tokenizer = await loadTokenizer(fixture(name));
      const expected = JSON.parse(await readFile(join(fixture(name), "expected.json"), "utf8"));
      expect(tokenizer).toMatchObject({ endToken: expected.end, vocabularySize: expected.vocabularySize });
      expect(tokenizer.tokenBytes()).toHaveLength(expected.vocabularySize);
      for (const { text, ids, framed, decoded } of expected.texts) {
        expect([...tokenizer.encode(text)]).toEqual(ids);
        expect(tokenizer.decode(Int32Array.from(framed))).toBe(decoded);
        expect(tokenizer.beginToken).toBe(framed[0] === ids[0] ? undefined : framed[0]);
      }
    });

    test("has the bytes of each token, which make up the text", async () => {
      const tokenizer = await loadTokenizer(fixture(name));
      const bytes = tokenizer.tokenBytes();
      const expected = JSON.parse(await readFile(join(fixture(name), "expected.json"), "utf8"));
      expect(bytes[tokenizer.endToken]).toHaveLength(0);
      for (const { ids, decoded } of expected.texts) {
        const written = utf8(Buffer.concat(ids.map((id: number) => bytes[id])));
        // SentencePiece begins every text with a space that decoding takes away; a list of words has no spaces.
        const lead = name === "byte-fallback" || name === "unigram" ? " " : "";
        expect(written).toBe(name === "words" ? decoded.replaceAll(" ", "") : lead + decoded);
      }
    });
  },
);

describe("loadTokenizer", () => {
  test("knows special tokens in a text, but writes none", async () => {
    const tokenizer = await loadTokenizer(fixture("byte-level"));
    const ids = tokenizer.encode("a<|turn|>b<answer>");
    expect(tokenizer.decode(ids)).toBe("ab<answer>");
    const bytes = tokenizer.tokenBytes();
    expect(Array.from(ids, (id) => utf8(bytes[id]))).toEqual(["a", "", "b", "<answer>"]);
    expect(tokenizer.decode(Int32Array.of())).toBe("");
    expect(tokenizer.decode(Int32Array.of(tokenizer.endToken))).toBe("");
    // Models pad their vocabulary with ids that no text has.
    expect(tokenizer.decode(Int32Array.of(5000))).toBe("");
  });

  test("names text that has no token, instead of leaving it out", async () => {
    const unknown = (character: string) =>
      expect.objectContaining({ code: "text-not-in-vocabulary", details: { character } });
    const unigram = await loadTokenizer(fixture("unigram"));
    expect(() => unigram.encode("The fox 🦊")).toThrow(unknown("🦊"));
    const words = await loadTokenizer(fixture("words"));
    expect(() => words.encode("The wolf")).toThrow(
      expect.objectContaining({ code: "text-not-in-vocabulary" }),
    );
    expect(words.encode("The fox")).toHaveLength(2);
    const characters = await loadTokenizer(fixture("characters"));
    expect(() => characters.encode("1+1")).toThrow(unknown("+"));
    // A byte-level vocabulary that lacks a byte drops it.
    const { model, ...rest } = JSON.parse(
      await readFile(join(fixture("byte-level"), "tokenizer.json"), "utf8"),
    );
    const { x: _x, ...vocab } = model.vocab;
    const merges = model.merges.filter((pair: string[]) => !pair.includes("x"));
    const lacking = await loadTokenizer(
      await copyWith("byte-level", { "tokenizer.json": { ...rest, model: { ...model, vocab, merges } } }),
    );
    expect(() => lacking.encode("b x")).toThrow(unknown("x"));
    expect(lacking.encode("quick")).not.toHaveLength(0);
  });

  test("splits at what Python calls white space, also by the pattern that no file writes out", async () => {
    const smollm2 = JSON.parse(await readFile(join(fixture("chats/smollm2"), "tokenizer.json"), "utf8"));
    const { vocab, merges, ...model } = smollm2.model;
    const size = Object.keys(vocab).length + smollm2.added_tokens.length;
    // A space and the first byte of U+0085; a line break of two characters.
    const joined = { "\u0120\u00c2": size, "\u010d\u010a": size + 1 };
    const pairs = [...merges, ["\u0120", "\u00c2"], ["\u010d", "\u010a"]];
    const path = await copyWith("chats/smollm2", {
      "tokenizer.json": { ...smollm2, model: { ...model, vocab: { ...vocab, ...joined }, merges: pairs } },
    });
    const { encode } = await loadTokenizer(path);
    const joins = (text: string) => [...encode(text)].some((id) => id >= size);
    expect(joins(" \u00a1")).toBe(true);
    expect(joins("\r\n\r\n")).toBe(true);
    // As SmolLM2's own tokenizer does: the one is white space and the other is not.
    expect(joins(" \u0085x")).toBe(false);
    expect(joins("\r\n\ufeffx")).toBe(false);
  });

  test("takes the end token that the model generates until", async () => {
    const endOf = async (changes: Readonly<Record<string, object>>) =>
      (await loadTokenizer(await copyWith("byte-level", changes))).endToken;
    expect(await endOf({})).toBe(1);
    expect(await endOf({ "config.json": { eos_token_id: 2 } })).toBe(2);
    expect(
      await endOf({ "config.json": { eos_token_id: 2 }, "generation_config.json": { eos_token_id: [5, 6] } }),
    ).toBe(5);
    expect(await endOf({ "generation_config.json": { eos_token_id: [5, 1] } })).toBe(1);
    expect(await endOf({ "config.json": { eos_token_id: null } })).toBe(1);
    expect(
      await endOf({ "tokenizer_config.json": { eos_token: { content: "<|turn|>", special: true } } }),
    ).toBe(2);
    await expect(endOf({ "tokenizer_config.json": { eos_token: null } })).rejects.toMatchObject({
      code: "tokenizer-invalid",
      message: expect.stringContaining("no end token"),
    });
  });

  test("puts a begin token first where the model is used to one", async () => {
    const beginOf = async (name: string, changes: Readonly<Record<string, object>>) =>
      (await loadTokenizer(await copyWith(name, changes))).beginToken;
    const settings = (members: object) => ({ "tokenizer_config.json": members });
    expect(await beginOf("byte-level", settings({ add_bos_token: false }))).toBeUndefined();
    expect(await beginOf("byte-level", settings({ bos_token: null }))).toBe(0);
    expect(await beginOf("byte-level", { "tokenizer.json": { post_processor: null } })).toBeUndefined();
    expect(
      await beginOf("byte-level", {
        "tokenizer.json": { post_processor: null },
        ...settings({ add_bos_token: true, bos_token: "<|turn|>" }),
      }),
    ).toBe(2);
    expect(
      await beginOf("unigram", { "config.json": { bos_token_id: 0 }, ...settings({ add_bos_token: true }) }),
    ).toBe(0);
    await expect(beginOf("unigram", settings({ add_bos_token: true }))).rejects.toMatchObject({
      code: "tokenizer-invalid",
      message: expect.stringContaining("no begin token"),
    });
  });

  test("has an identity that follows its files", async () => {
    const { hash } = await loadTokenizer(fixture("byte-level"));
    expect((await loadTokenizer(await copyWith("byte-level", {}))).hash).toBe(hash);
    const other = await copyWith("byte-level", { "config.json": { eos_token_id: 2 } });
    expect((await loadTokenizer(other)).hash).not.toBe(hash);
  });

  test("says what to do about a folder without a tokenizer, or with a broken one", async () => {
    await expect(loadTokenizer(join(folder, "nowhere"))).rejects.toMatchObject({
      code: "tokenizer-missing",
      category: "user",
      message: expect.stringContaining("save_pretrained"),
    });
    const broken = async (name: string, file: string, change: object | string) =>
      expect(loadTokenizer(await copyWith(name, { [file]: change }))).rejects.toMatchObject({
        code: "tokenizer-invalid",
        category: "user",
        message: expect.stringContaining(file),
      });
    await broken("words", "tokenizer.json", "{ not json");
    await broken("words", "tokenizer.json", "[]");
    await broken("words", "tokenizer.json", { model: null });
    await broken("words", "tokenizer.json", { decoder: { type: "Mystery" } });
    await broken("words", "tokenizer_config.json", "{");
    await broken("words", "generation_config.json", "{");
  });
});
