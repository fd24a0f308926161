import { expect, test } from "vitest";
import type { Datum, Loss } from "../../../foundation/contract/index.ts";
import { packData } from "./training-data.ts";

const datum = (extra: Partial<Datum> = {}): Datum => ({
  tokens: Int32Array.of(1, 2),
  targets: Int32Array.of(2, 3),
  weights: Float32Array.of(1, 1),
  advantages: Float32Array.of(1, -1),
  logprobs: Float32Array.of(-1, -2),
  ...extra,
});
const own = Float32Array.of(0.5, 0.25);
const floats = (data: readonly Datum[], loss: Loss, name: string): number[] | undefined => {
  const packed = packData(data, loss)[name];
  return packed?.parts.flatMap((part) => Array.from(part as Float32Array));
};

test("bounds of some data leave the others the loss's", () => {
  const data = [datum({ clipLow: own }), datum()];
  expect(floats(data, { name: "ppo" }, "clip_low")).toEqual([0.5, 0.25, Math.fround(0.8), Math.fround(0.8)]);
  expect(floats(data, { name: "ppo" }, "clip_high")).toBeUndefined();
  expect(floats(data, { name: "cispo", clipLow: 0.125 }, "clip_low")).toEqual([0.5, 0.25, 0.125, 0.125]);
  expect(floats([datum(), datum({ clipHigh: own })], { name: "cispo" }, "clip_high")).toEqual([
    4, 4, 0.5, 0.25,
  ]);
});

test("bounds that would have no effect, or do not fit, are refused", () => {
  for (const loss of [{ name: "dro" }, { name: "importance_sampling" }, { name: "cross_entropy" }] as const)
    expect(() => packData([datum(), datum({ clipHigh: own })], loss)).toThrow(
      `Datum 1 has bounds of a ratio, and ${loss.name} clips nothing`,
    );
  expect(() => packData([datum({ clipLow: own.subarray(1) })], { name: "gspo" })).toThrow(
    "Datum 0 has 2 tokens and 1 clipLow",
  );
});

test("no data, and a datum without tokens, are said to be that", () => {
  const empty = datum({ tokens: new Int32Array(), targets: new Int32Array(), weights: new Float32Array() });
  expect(() => packData([datum(), empty], { name: "cross_entropy" })).toThrow("Datum 1 has no tokens.");
  expect(() => packData([], { name: "cross_entropy" })).toThrow("A call has at least one datum.");
});
