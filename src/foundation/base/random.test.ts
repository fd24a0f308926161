import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type RandomStream, randomStream, resumeStream } from "./random.ts";

const draws = (stream: RandomStream, count: number): number[] =>
  Array.from({ length: count }, () => stream.uniform());

describe("randomStream", () => {
  // Computed from the definition in Python, from the state 1, 2, 3, 4.
  test("is xoshiro128**", () => {
    const stream = resumeStream({ key: "0", name: "x", words: [1, 2, 3, 4] });
    expect(draws(stream, 10).map((value) => value * 2 ** 32)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("is the same for a seed and name, and another for any other", () => {
    const own = draws(randomStream(7, "a"), 4);
    expect(draws(randomStream("7", "a"), 4)).toEqual(own);
    for (const other of [randomStream(8, "a"), randomStream(7, "b"), randomStream(7, "a").fork(0)])
      expect(draws(other, 4)).not.toEqual(own);
  });

  property.prop([fc.nat({ max: 50 }), fc.nat({ max: 50 })])("goes on from its state", (before, after) => {
    const stream = randomStream(1, "state");
    draws(stream, before);
    const resumed = resumeStream(JSON.parse(JSON.stringify(stream.state())));
    expect(draws(resumed, after)).toEqual(draws(stream, after));
    expect(draws(resumed.fork("child"), 3)).toEqual(draws(stream.fork("child"), 3));
  });

  test("a fork does not depend on what was drawn before it", () => {
    const stream = randomStream(3, "parent");
    const early = draws(stream.fork("child"), 3);
    draws(stream, 17);
    expect(draws(stream.fork("child"), 3)).toEqual(early);
  });

  property.prop([fc.integer({ min: -5, max: 5 }), fc.nat({ max: 12 })])(
    "integers reach both ends and no further",
    (low, span) => {
      const stream = randomStream(span, `integers/${low}`);
      const seen = new Set(Array.from({ length: 600 }, () => stream.integer(low, low + span)));
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: span + 1 }, (_, i) => low + i));
    },
  );

  test("integers are uniform where the span does not divide 2³²", () => {
    const stream = randomStream(0, "uniform");
    const span = 3 * 2 ** 30;
    let low = 0;
    for (let draw = 0; draw < 6000; draw++) if (stream.integer(0, span - 1) < span / 3) low += 1;
    // A plain remainder would put half of them there. The standard error is 37.
    expect(low).toBeGreaterThan(1850);
    expect(low).toBeLessThan(2150);
  });

  property.prop([fc.uniqueArray(fc.integer()), fc.nat()])("shuffles are permutations", (members, seed) => {
    const before = [...members];
    const shuffled = randomStream(seed, "shuffle").shuffle(members);
    expect(members).toEqual(before);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
  });

  test("every order of three comes up as often", () => {
    const stream = randomStream(2, "orders");
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = stream.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("seeds have 48 bits", () => {
    const stream = randomStream(4, "seeds");
    const seeds = Array.from({ length: 400 }, () => stream.seed());
    for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48).toBe(true);
    expect(Math.max(...seeds)).toBeGreaterThan(2 ** 47);
    expect(new Set(seeds).size).toBe(400);
  });

  test("refuses what cannot be drawn", () => {
    const stream = randomStream(0, "refuse");
    expect(() => stream.pick([])).toThrow(RangeError);
    expect(() => stream.integer(2, 1)).toThrow(RangeError);
    expect(() => stream.integer(0, 2 ** 32)).toThrow(RangeError);
    expect(() => stream.integer(0, 0.5)).toThrow(RangeError);
    expect(stream.integer(5, 5)).toBe(5);
  });
});
