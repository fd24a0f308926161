import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { characters, loadTokenizer } from "./index.ts";

const digits = characters("0123456789=");
/** Spaces, line breaks, what other vocabularies write for them, more than one code unit, a mark, and the sign `<`. */
const odd = characters(' <>ab\n🦊e\u0301_"\\漢▁Ġ');

describe("characters()", () => {
  test("puts special tokens first and then the alphabet in its order", () => {
    expect(digits).toMatchObject({ vocabularySize: 14, padToken: 0, beginToken: 1, endToken: 2 });
    expect([...digits.encode("09=")]).toEqual([3, 12, 13]);
    expect([...digits.encode("")]).toEqual([]);
    expect(digits.decode(Int32Array.of(1, 3, 12, 13, 2, 0))).toBe("09=");
    expect(characters("01").vocabularySize).toBe(5);
  });

  test("knows each token's bytes, none for special tokens", () => {
    const bytes = odd.tokenBytes();
    expect(bytes).toHaveLength(odd.vocabularySize);
    expect(bytes.slice(0, 3).map(({ length }) => length)).toEqual([0, 0, 0]);
    const [fox] = odd.encode("🦊");
    expect([...(bytes[fox as number] ?? [])]).toEqual([0xf0, 0x9f, 0xa6, 0x8a]);
  });

  property.prop([fc.string({ unit: fc.constantFrom(...odd.alphabet) })])("gives back every text", (text) => {
    const tokens = odd.encode(text);
    expect(odd.decode(tokens)).toBe(text);
    expect(tokens).toHaveLength([...text].length);
    const bytes = odd.tokenBytes();
    const written = Buffer.concat(Array.from(tokens, (token) => bytes[token] as Uint8Array));
    expect(written.toString("utf8")).toBe(text);
  });

  test("names the character that it does not know", () => {
    expect(() => digits.encode("12+3")).toThrow(
      expect.objectContaining({
        code: "text-not-in-vocabulary",
        category: "user",
        message: expect.stringContaining('The character "+" (U+002B)'),
      }),
    );
    expect(() => digits.encode("\u{1f98a}")).toThrow("U+1F98A");
    expect(() => digits.encode("\ud83e")).toThrow("U+D83E");
    expect(() => digits.encode("<bos>")).toThrow('"<"');
  });

  test("decodes no token that it does not have", () => {
    expect(() => digits.decode(Int32Array.of(3, 14))).toThrow("Token 14 is outside 0…13");
  });

  test("refuses alphabets that make no vocabulary", () => {
    const invalid = (message: string) => expect.objectContaining({ code: "invalid-option", message });
    expect(() => characters("")).toThrow("string of the characters to know");
    expect(() => characters("0120")).toThrow(invalid('characters(): the alphabet has "0" twice.'));
    expect(() => characters("a\ud83e")).toThrow("half of a surrogate pair");
    expect(() => characters(["a"] as never)).toThrow("string of the characters to know");
  });

  test("has an identity that its alphabet and order decide", () => {
    expect(digits.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(characters("0123456789=").hash).toBe(digits.hash);
    expect(characters("=0123456789").hash).not.toBe(digits.hash);
  });

  // The expectations are those of Python's transformers, for the very files that are written here.
  test.each([
    ["characters", digits],
    ["characters-odd", odd],
  ])("writes a Hugging Face folder: %s", async (name, tokenizer) => {
    const fixture = (file: string) =>
      readFile(fileURLToPath(new URL(`fixtures/${name}/${file}`, import.meta.url)), "utf8");
    for (const [file, text] of Object.entries(tokenizer.files)) expect(text).toBe(await fixture(file));
    const { end, vocabularySize, texts } = JSON.parse(await fixture("expected.json"));
    expect(tokenizer).toMatchObject({ endToken: end, vocabularySize });
    for (const { text, ids, framed } of texts) {
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect([tokenizer.beginToken, ...tokenizer.encode(text)]).toEqual(framed);
      expect(tokenizer.decode(Int32Array.from(framed))).toBe(text);
    }
  });

  test.each([digits, odd])("is read back as it was written: $alphabet", async (tokenizer) => {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-characters-"));
    for (const [file, text] of Object.entries(tokenizer.files)) await writeFile(join(folder, file), text);
    const loaded = await loadTokenizer(folder);
    const { hash, vocabularySize, beginToken, endToken } = tokenizer;
    expect(loaded).toMatchObject({ hash, vocabularySize, beginToken, endToken });
    const text = [...tokenizer.alphabet, ...tokenizer.alphabet].toReversed().join("");
    expect(loaded.encode(text)).toEqual(tokenizer.encode(text));
    expect(loaded.decode(tokenizer.encode(text))).toBe(text);
    expect(loaded.tokenBytes()).toEqual(tokenizer.tokenBytes());
    expect(() => loaded.encode("ü")).toThrow(expect.objectContaining({ code: "text-not-in-vocabulary" }));
    await rm(folder, { recursive: true });
  });
});
