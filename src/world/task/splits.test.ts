import { createHash } from "node:crypto";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type Split, splitSchema } from "../../foundation/contract/index.ts";
import { isEnumerated, itemsInSplit, mostInSplit, splitOf, splitShares } from "./splits.ts";

const splits = splitSchema.options;
const texts = Array.from({ length: 20_000 }, (_, index) => String(index).padStart(5, "0"));
const families: readonly (readonly [string, string, (text: string) => string])[] = [
  ["reverse", "strings", (text) => text],
  ["copy", "the same strings", (text) => text],
  ["addition", "sums", (text) => `${text}+99999`],
  ["parity", "bits", (text) => Number(text).toString(2).padStart(16, "0")],
];

/** Pearson's statistic of counts against expected counts. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce(
    (sum, count, index) => sum + (count - (expected[index] ?? 0)) ** 2 / (expected[index] ?? 0),
    0,
  );
}

function countsOf(found: readonly Split[]): number[] {
  return splits.map((split) => found.filter((one) => one === split).length);
}

describe("shares", () => {
  test.each(families)("of %s, over %s, are 50, 10, 25 and 15 percent", (name, _what, canonicalOf) => {
    const counts = countsOf(texts.map((text) => splitOf(name, 1, canonicalOf(text))));
    const expected = splits.map((split) => texts.length * splitShares[split]);
    // Exceeded by chance once in ten thousand, at three degrees of freedom.
    expect(chiSquare(counts, expected)).toBeLessThan(21.1);
  });

  test.each([
    ["another version", (text: string) => splitOf("reverse", 2, text)],
    ["another task", (text: string) => splitOf("copy", 1, text)],
    ["a neighbouring item", (text: string) => splitOf("reverse", 1, `${text.slice(0, -1)}x`)],
  ])("are independent of those of %s", (_what, other) => {
    const pairs = texts.map((text) => [splitOf("reverse", 1, text), other(text)] as const);
    const counts = splits.flatMap((here) =>
      splits.map((there) => pairs.filter(([one, two]) => one === here && two === there).length),
    );
    const expected = splits.flatMap((here) =>
      splits.map((there) => texts.length * splitShares[here] * splitShares[there]),
    );
    // Exceeded by chance once in ten thousand, at fifteen degrees of freedom.
    expect(chiSquare(counts, expected)).toBeLessThan(44.3);
  });

  test("sum to one, and every split has one", () => {
    expect(Object.keys(splitShares)).toEqual(splits);
    expect(Object.values(splitShares).reduce((sum, share) => sum + share, 0)).toBe(1);
  });
});

describe("splits never move", () => {
  // Worked out with another program: printf 'reverse@1\n1234' | sha256sum
  test.each<readonly [string, number, string, Split]>([
    ["reverse", 1, "1234", "decision"],
    ["reverse", 1, "5678", "train"],
    ["reverse", 1, "90909", "train"],
    ["reverse", 1, "123456789", "decision"],
    ["reverse", 2, "1234", "train"],
    ["copy", 1, "1234", "train"],
    ["copy", 1, "äöü€𝄞", "decision"],
    ["addition", 1, "123+456", "decision"],
    ["addition", 1, "0123+0456", "audit"],
    ["parity", 1, "0101010101010101", "train"],
  ])("%s@%i %s: %s", (name, version, canonical, split) => {
    expect(splitOf(name, version, canonical)).toBe(split);
  });

  property.prop([fc.string({ unit: "binary" }), fc.nat(), fc.string({ unit: "binary" })])(
    "for any name, version and text, by the first 48 bits of the digest",
    (name, version, canonical) => {
      const digest = createHash("sha256").update(`${name}@${version}\n${canonical}`).digest();
      const percent = (100 * digest.readUIntBE(0, 6)) / 2 ** 48;
      const split =
        percent < 50 ? "train" : percent < 60 ? "validation" : percent < 85 ? "decision" : "audit";
      expect(splitOf(name, version, canonical)).toBe(split);
    },
  );
});

test("up to 1,000 distinct items a stratum is enumerated", () => {
  expect(isEnumerated({ distinct: 1000 })).toBe(true);
  expect(isEnumerated({ distinct: 1001 })).toBe(false);
  expect(isEnumerated({ distinct: Number.POSITIVE_INFINITY })).toBe(false);
});

describe("how many items a split holds", () => {
  test("is all of them where the stratum is enumerated", () => {
    for (const split of splits) {
      expect(itemsInSplit({ distinct: 1000 }, split)).toBe(1000);
      expect(mostInSplit({ distinct: 1000 }, split)).toBe(1000);
    }
  });

  test("is its share, give or take six standard deviations of the hash", () => {
    // sqrt(10,000 · .25 · .75) is 43.3.
    expect(itemsInSplit({ distinct: 10_000 }, "decision")).toBe(2240);
    expect(mostInSplit({ distinct: 10_000 }, "decision")).toBe(2760);
    expect(itemsInSplit({ distinct: 1001 }, "validation")).toBeGreaterThan(0);
    expect(itemsInSplit({ distinct: 1e300 }, "train")).toBe(5e299);
    expect(itemsInSplit({ distinct: Number.POSITIVE_INFINITY }, "audit")).toBe(Number.POSITIVE_INFINITY);
    expect(mostInSplit({ distinct: Number.POSITIVE_INFINITY }, "audit")).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(families)("holds for %s, over %s", (name, _what, canonicalOf) => {
    for (const distinct of [1001, 5000, 20_000]) {
      const counts = countsOf(texts.slice(0, distinct).map((text) => splitOf(name, 1, canonicalOf(text))));
      for (const [index, split] of splits.entries()) {
        expect(counts[index]).toBeGreaterThanOrEqual(itemsInSplit({ distinct }, split));
        expect(counts[index]).toBeLessThanOrEqual(mostInSplit({ distinct }, split));
      }
    }
  });
});
