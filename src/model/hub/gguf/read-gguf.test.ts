import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readGguf } from "./read-gguf.ts";
import { smallModel, withMetadata } from "./testing/small-model.ts";
import { ggufBytes } from "./testing/write-gguf.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "model.gguf");
  await writeFile(path, bytes);
  return path;
}

function refused(path: string): { readonly code: string; readonly message: string } {
  try {
    readGguf(path);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("it was read");
}

test("reads metadata and tensors, of versions 2 and 3", async () => {
  for (const version of [2, 3]) {
    const path = await file(ggufBytes({ ...smallModel, version }));
    const { metadata, tensors } = readGguf(path);
    expect(metadata.get("general.architecture")).toBe("llama");
    expect(metadata.get("llama.attention.layer_norm_rms_epsilon")).toBe(Math.fround(1e-5));
    expect(metadata.get("tokenizer.ggml.token_type")).toEqual([3, 3, 1, 1, 1, 1, 1]);
    expect([...tensors.keys()]).toEqual(smallModel.tensors.map(({ name }) => name));
    expect(tensors.get("blk.1.ffn_down.weight")).toMatchObject({ shape: [8, 32], bytes: 4 * 8 * 32 });
  }
});

test("a text that is longer than what is read at a time", async () => {
  const long = "x".repeat(3_000_000);
  const { metadata } = readGguf(await file(ggufBytes(withMetadata({ long }))));
  expect(metadata.get("long")).toBe(long);
});

test("a file that is none, or is not there", async () => {
  for (const text of ["", "GG", "PK\u0003\u0004 and so on, a zip archive"])
    expect(refused(await file(Buffer.from(text)))).toMatchObject({
      code: "gguf-invalid",
      message: expect.stringContaining("does not begin with GGUF"),
    });
  expect(refused(join(folder, "nowhere.gguf"))).toMatchObject({ code: "gguf-missing" });
});

test("a file that is cut off, wherever, is called that and never read", async () => {
  const bytes = ggufBytes(smallModel);
  for (let length = 8; length < bytes.length; length += 61) {
    const { code, message } = refused(await file(bytes.subarray(0, length)));
    expect({ length, code, message }).toEqual({
      length,
      code: "gguf-truncated",
      message: expect.stringContaining(`ends after ${length.toLocaleString("en-US")} bytes`),
    });
  }
  expect(refused(await file(bytes.subarray(0, bytes.length - 1)))).toMatchObject({ code: "gguf-truncated" });
});

test("a length that no file could have is not believed", async () => {
  const bytes = ggufBytes(smallModel);
  // The number of tensors, of entries, and the length of the first name.
  for (const at of [8, 16, 24]) {
    const wrong = Buffer.from(bytes);
    wrong.writeBigUInt64LE(2n ** 60n, at);
    expect(refused(await file(wrong))).toMatchObject({ code: "gguf-truncated" });
  }
});

test("what is not supported is named, with what is", async () => {
  const [first] = smallModel.tensors;
  if (first === undefined) throw new Error("no tensor");
  const stored = (type: number) => ({ ...smallModel, tensors: [{ ...first, type }] });
  expect(refused(await file(ggufBytes(stored(20))))).toMatchObject({
    code: "gguf-unsupported",
    message: expect.stringMatching(
      /stores token_embd\.weight as IQ4_NL, and what can be read is F32, .*Q6_K/,
    ),
  });
  // Rows of 8 numbers are no whole blocks of 32.
  expect(refused(await file(ggufBytes(stored(2))))).toMatchObject({ code: "gguf-invalid" });
  expect(refused(await file(ggufBytes({ ...smallModel, version: 1 }))).message).toContain("GGUF version 1");
  const big = ggufBytes(smallModel);
  big.subarray(4, 8).reverse();
  expect(refused(await file(big)).message).toContain("big-endian");
  const odd = Buffer.from(ggufBytes({ metadata: { one: 1 }, tensors: [] }));
  odd.writeUInt32LE(77, 24 + 8 + 3);
  expect(refused(await file(odd))).toMatchObject({ code: "gguf-invalid" });
});
