import { describe, expect, test } from "vitest";
import { normalAt, sampleKey, uniformAt, Word64 } from "./randomness.ts";

/** From `whetstone_engine.randomness.uniforms`: seed, sample, and 2^24 times the numbers at positions 0, 1, 2 and 1000. */
const golden: readonly (readonly [seed: number, sample: number, numbers: readonly number[]])[] = [
  [0, 0, [120340, 3255520, 7110830, 16025146]],
  [0, 1, [9736812, 2757976, 16419850, 1502247]],
  [0, 63, [22055, 8808989, 1910647, 13889892]],
  [1, 0, [12392325, 7521091, 8979228, 3915080]],
  [12345, 1, [2208091, 55377, 1265615, 307113]],
  [2 ** 32 - 1, 0, [6926763, 3318987, 3867166, 11231072]],
  [2 ** 32 - 1, 63, [15609193, 2364788, 796644, 2161120]],
  [2 ** 32, 0, [3888403, 595864, 9698505, 3749004]],
  [2 ** 32, 1, [333408, 5395238, 1340761, 15061674]],
  [2 ** 47 + 977, 0, [5793828, 996640, 7042914, 9804396]],
  [2 ** 47 + 977, 63, [3753350, 7613324, 6385387, 7429590]],
  [2 ** 48 - 1, 1, [1598288, 14949451, 13312739, 12105459]],
];

describe("uniformAt", () => {
  test.each(golden)("seed %i, sample %i: the same numbers as the Python engine", (seed, sample, numbers) => {
    const key = sampleKey(seed, sample);
    expect([0, 1, 2, 1000].map((position) => uniformAt(key, position) * 2 ** 24)).toEqual(numbers);
  });
});

describe("Word64", () => {
  test("multiplies and adds as 64-bit integers do", () => {
    const values = [
      0n,
      1n,
      0xffffffffn,
      0x100000000n,
      0x9e3779b97f4a7c15n,
      2n ** 64n - 1n,
      0x7fff8000ffff0001n,
    ];
    const halves = (value: bigint) => [Number(value >> 32n), Number(value & 0xffffffffn)] as const;
    const bits = ({ high, low }: Word64) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    for (const a of values)
      for (const b of values) {
        const word = () => new Word64().set(...halves(a));
        expect(bits(word().multiply(...halves(b)))).toBe(BigInt.asUintN(64, a * b));
        expect(bits(word().add(...halves(b)))).toBe(BigInt.asUintN(64, a + b));
      }
    expect(bits(new Word64().setInteger(2 ** 48 - 1))).toBe(2n ** 48n - 1n);
  });
});

describe("normalAt", () => {
  test("has mean 0, variance 1 and fourth moment 3", () => {
    const numbers = Array.from({ length: 40_000 }, (_, index) => normalAt(new Word64().set(7, 11), index));
    const moment = (power: number) => numbers.reduce((sum, one) => sum + one ** power, 0) / numbers.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.04);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.3);
  });
});
