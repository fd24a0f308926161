import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { halves, toBrainFloats } from "./floats.ts";
import { quantisationName, quantisations } from "./quantisations.ts";

/** Made by `fixtures/make_dequantised.py` with the `gguf` package. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/dequantised.json"), "utf8"),
) as Readonly<Record<string, { readonly type: number; readonly blocks: string; readonly values: string }>>;

test("every kind of storage that is read has golden numbers", () => {
  const names = [...quantisations.values()].map(({ name }) => name);
  expect(Object.keys(golden).sort()).toEqual(names.sort());
});

test.each(Object.entries(golden))("%s gives the numbers that the gguf package gives", (name, expected) => {
  const blocks = new Uint8Array(Buffer.from(expected.blocks, "base64"));
  const wanted = new Float32Array(new Uint8Array(Buffer.from(expected.values, "base64")).buffer);
  const kind = quantisations.get(expected.type);
  expect(kind?.name).toBe(name);
  expect((wanted.length / (kind?.size ?? 0)) * (kind?.bytes ?? 0)).toBe(blocks.length);
  const values = new Float32Array(wanted.length);
  kind?.dequantise(blocks, values);
  // The same product is rounded once here and perhaps twice there: the last bit of 24 may differ.
  const scale = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of values.entries())
    expect(Math.abs(value - (wanted[i] as number))).toBeLessThanOrEqual(2 ** -23 * scale);
  expect(Object.is(values.find((value) => value === 0) ?? 0, -0)).toBe(
    Object.is(wanted.find((value) => value === 0) ?? 0, -0),
  );
});

test("kinds have the names that people know", () => {
  expect(quantisationName(3)).toBe("Q4_1");
  expect(quantisationName(20)).toBe("IQ4_NL");
  expect(quantisationName(99)).toBe("number 99");
});

test("16-bit floats: zeros, subnormals, the largest, infinities", () => {
  const bits = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00];
  const expected = [0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, -2, 65504, Infinity, -Infinity];
  expect(bits.map((one) => halves[one])).toEqual(expected);
  expect(halves[0x7e00]).toBeNaN();
});

test("bfloat16 rounds to the nearest, ties to even, and keeps what is no number", () => {
  const bits = [0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0xbf807fff, 0x7f800000, 0x7fffffff];
  const values = new Float32Array(Uint32Array.from(bits).buffer);
  const rounded = new Uint16Array(toBrainFloats(values).buffer);
  expect([...rounded]).toEqual([0x3f80, 0x3f80, 0x3f82, 0x3f81, 0xbf80, 0x7f80, 0x7fff]);
});
