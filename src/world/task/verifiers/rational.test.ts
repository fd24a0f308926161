import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  add,
  bitsOf,
  compare,
  divide,
  multiply,
  power,
  type Rational,
  rational,
  rationalOf,
  toNumber,
} from "./rational.ts";

const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const fraction = fc
  .tuple(
    whole,
    whole.filter((value) => value !== 0n),
  )
  .map(([numerator, denominator]) => rational(numerator, denominator) as Rational);

describe("a rational", () => {
  property.prop([whole, whole, fc.bigInt({ min: 1n, max: 10n ** 9n })])(
    "is in lowest terms",
    (above, below, times) => {
      if (below === 0n) expect(rational(above, below)).toBeUndefined();
      else expect(rational(above * times, below * -times)).toEqual(rational(-above, below));
    },
  );

  property.prop([fraction, fraction, fraction])("obeys the laws of a field", (a, b, c) => {
    const sum = add(a, b) as Rational;
    expect(add(b, a)).toEqual(sum);
    expect(multiply(c, sum)).toEqual(add(multiply(c, a) as Rational, multiply(c, b) as Rational));
    if (b.numerator !== 0n) expect(multiply(divide(a, b) as Rational, b)).toEqual(a);
    expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)));
  });

  property.prop([fraction, fc.integer({ min: -6, max: 6 })])("has whole powers", (a, exponent) => {
    fc.pre(a.numerator !== 0n || exponent >= 0);
    const one = { numerator: 1n, denominator: 1n };
    const product = Array(Math.abs(exponent))
      .fill(a)
      .reduce((left: Rational, right: Rational) => multiply(left, right), one);
    expect(power(a, BigInt(exponent))).toEqual(exponent < 0 ? divide(one, product) : product);
  });

  property.prop([fraction])("is near its double", (a) => {
    expect(toNumber(a)).toBeCloseTo(Number(a.numerator) / Number(a.denominator), 5);
  });

  property.prop([fc.double({ noNaN: true, noDefaultInfinity: true })])(
    "reads what JavaScript prints",
    (value) => {
      expect(toNumber(rationalOf(String(value)) as Rational)).toBeCloseTo(value, 10);
    },
  );

  test.each([
    "",
    ".",
    "-",
    "1.2.3",
    "1e",
    "e5",
    "1e701",
    "1e-701",
    "0x10",
    " 1",
    "1 ",
    "Infinity",
    "9".repeat(2001),
  ])("is not read from %j", (text) => {
    expect(rationalOf(text)).toBeUndefined();
  });

  test("has a largest size", () => {
    expect(power({ numerator: 3n, denominator: 1n }, 10n ** 40n)).toBeUndefined();
    expect(power({ numerator: -1n, denominator: 1n }, 10n ** 40n + 1n)).toEqual({
      numerator: -1n,
      denominator: 1n,
    });
    expect(power({ numerator: 0n, denominator: 1n }, -1n)).toBeUndefined();
    expect(rational(2n ** 2048n)).toBeUndefined();
    expect(rational(2n ** 2047n)).toBeDefined();
    expect(toNumber({ numerator: 2n ** 2000n, denominator: 2n ** 1999n })).toBe(2);
    expect([0n, 1n, 2n, 255n, -256n, 2n ** 64n].map(bitsOf)).toEqual([0, 1, 2, 8, 9, 65]);
  });
});
