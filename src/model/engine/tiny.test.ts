import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { characters } from "../text/index.ts";
import { estimateParameters, tiny } from "./index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-tiny-"));
});
afterAll(() => rm(folder, { recursive: true }));

const digits = "0123456789=";
const needs = { characters: digits, projectFolder: "/nowhere" };
const read = async (path: string, name: string) => JSON.parse(await readFile(join(path, name), "utf8"));

describe("tiny()", () => {
  test("writes a Hugging Face folder without weights, once", async () => {
    const model = tiny({ tokenizer: characters(digits) });
    const prepared = await model.prepare(folder, needs);
    expect(prepared.fromScratch).toBe(true);
    expect(await readdir(prepared.path)).toEqual([
      "config.json",
      "generation_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await read(prepared.path, "config.json")).toMatchObject({
      model_type: "llama",
      vocab_size: 14,
      hidden_size: 64,
      intermediate_size: 168,
      num_hidden_layers: 3,
      num_attention_heads: 2,
      num_key_value_heads: 2,
      position_embedding_type: "none",
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
      bos_token_id: 1,
      eos_token_id: 2,
    });
    expect(await read(prepared.path, "generation_config.json")).toMatchObject({ suppress_tokens: [0, 1] });
    await writeFile(join(prepared.path, "mark"), "still the same folder");
    const again = await tiny({ tokenizer: characters(digits) }).prepare(folder, needs);
    expect(again.path).toBe(prepared.path);
    expect(await readdir(again.path)).toContain("mark");
  });

  test.each([
    ["reverse", 148_160, tiny({ layers: 3, width: 64, heads: 2, positions: "none" }), digits],
    ["parity", 100_416, tiny({ layers: 2, positions: "learned", maxPositions: 34 }), "01"],
  ])("has the reference's number of parameters for %s: %i", async (_task, parameters, model, characters) => {
    const { path } = await model.prepare(folder, { ...needs, characters });
    expect(estimateParameters(await read(path, "config.json"))).toBe(parameters);
  });

  test("takes the task's characters where no tokenizer is given", async () => {
    const prepared = await tiny().prepare(folder, { ...needs, characters: "010 1" });
    expect(prepared.tokenizer).toMatchObject({ alphabet: "01 ", vocabularySize: 6 });
    expect((await read(prepared.path, "config.json")).vocab_size).toBe(6);
    const other = await tiny().prepare(folder, needs);
    expect(other.path).not.toBe(prepared.path);
    expect(other.tokenizer.vocabularySize).toBe(14);
  });

  test("refuses a tokenizer that does not know the task's characters", async () => {
    const model = tiny({ tokenizer: characters("01") });
    await expect(model.prepare(folder, needs)).rejects.toMatchObject({ code: "text-not-in-vocabulary" });
  });

  test("describes what decides its weights", () => {
    expect(tiny({ width: 128, heads: 4, positions: "rotary" })).toMatchObject({
      name: "tiny",
      description: {
        layers: 3,
        width: 128,
        heads: 4,
        keyValueHeads: 4,
        hidden: 336,
        positions: "rotary",
        maxPositions: 2048,
        tied: false,
        alphabet: "the task's characters",
      },
    });
    expect(tiny({ tokenizer: characters("01") }).description.alphabet).toBe("01");
  });

  test("refuses what makes no model, and names the nearest right option", () => {
    const refused = (options: object, message: string) =>
      expect(() => tiny(options)).toThrow(
        expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(message) }),
      );
    refused({ layer: 2 }, 'there is no option "layer"; did you mean "layers"?');
    refused({ position: "none" }, 'did you mean "positions"?');
    refused({ positions: "rotery" }, 'option "positions"');
    refused({ layers: 0 }, 'option "layers"');
    refused({ width: 64, heads: 3 }, 'option "width": 64 is no multiple of 3 heads');
    refused({ width: 6, heads: 2, positions: "rotary" }, "3 a head is odd");
    refused({ heads: 4, keyValueHeads: 3 }, 'option "keyValueHeads"');
    refused({ positions: "learned" }, 'option "maxPositions": learned positions need it');
    refused({ tokenizer: "0123" }, 'option "tokenizer"');
  });
});
