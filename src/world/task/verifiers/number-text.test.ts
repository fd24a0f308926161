import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { lastNumber, wholeNumber } from "./number-text.ts";
import { toNumber } from "./rational.ts";

const read = (text: string, decimal: "." | "," = "."): number | undefined => {
  const found = lastNumber(text, decimal);
  return found && toNumber(found.value);
};

describe("lastNumber", () => {
  test.each<[string, number]>([
    ["42", 42],
    ["The answer is 42.", 42],
    ["17 + 25 = 42", 42],
    ["42, I think", 42],
    ["**42**", 42],
    ["_42_", 42],
    ["$42$", 42],
    ["\\boxed{42}", 42],
    ["-5", -5],
    ["\u22125", -5],
    ["is –5", -5],
    ["= - 5", -5],
    ["=-5", -5],
    ["+5", 5],
    ["(-5)", -5],
    ["-$5", -5],
    ["$-5", -5],
    ["$1,234.50", 1234.5],
    ["1,234,567", 1234567],
    ["1 234", 1234],
    ["1\u202f234\u202f567,", 1234567],
    ["1'234", 1234],
    ["1_000", 1000],
    ["1\\,234", 1234],
    ["1{,}234", 1234],
    [".5", 0.5],
    ["-.5", -0.5],
    ["0.50", 0.5],
    ["3.14.", 3.14],
    ["1e3", 1000],
    ["It is 1e3.", 1000],
    ["1.5E-1", 0.15],
    ["1.5 × 10^3", 1500],
    ["1.5 \\times 10^{-1}", 0.15],
    ["2*10^2", 200],
    ["10^6", 1e6],
    ["3/4", 0.75],
    ["3 / 4", 0.75],
    ["-3/4", -0.75],
    ["\\frac{3}{4}", 0.75],
    ["-\\dfrac{3}{4}", -0.75],
    ["\\frac{-3}{4}", -0.75],
    ["1 1/2", 1.5],
    ["½", 0.5],
    ["1½", 1.5],
    ["50%", 0.5],
    ["50 %", 0.5],
    ["50\\%", 0.5],
    ["5 km", 5],
    ["5km", 5],
    ["30°C", 30],
    ["20€", 20],
    ["４２", 42],
    ["1, 2, 3", 3],
    ["x2 is 7 and H2O", 7],
    ["COVID-19 killed 5; see F-16", 5],
    ["the 5-year-old", 5],
    ["8/10", 0.8],
    ["1. First\n2. So it is 9", 9],
    ["- 7\n- 8", 8],
    ["2024 100", 100],
  ])("of %j is %d", (text, number) => {
    expect(read(text)).toBeCloseTo(number, 12);
  });

  test.each([
    "",
    "none",
    "x2",
    "3-5",
    "3–5",
    "17 + 25",
    "9 - 4",
    "3 x 4",
    "3*4",
    "1,2,3",
    "1,23",
    "1,2345",
    "1.234.567",
    "2024-05-01",
    "1/2/2024",
    "12:30",
    "192.168.0.1",
    "5²",
    "2^3",
    "0x1F",
    "1/0",
    "--5",
    "1e99999",
    "it is 42, or rather 3-5",
  ])("of %j there is none", (text) => {
    expect(read(text)).toBeUndefined();
  });

  test("of thousands of digits there is none", () => {
    expect(read("9".repeat(5000))).toBeUndefined();
  });

  test("may be written with a decimal comma", () => {
    expect(read("1.234,5", ",")).toBe(1234.5);
    expect(read("es sind 3,5.", ",")).toBe(3.5);
    expect(read("1.234", ",")).toBe(1234);
    expect(read("1,234.5", ",")).toBeUndefined();
    expect(read(",5", ",")).toBe(0.5);
  });

  property.prop([fc.integer(), fc.constantFrom("It is ", "so\n", "= ", "x = ", "(", "**", "$")])(
    "of any whole number in a sentence is that number",
    (value, before) => {
      expect(read(`17 of 4, ${before}${value}.`)).toBe(value);
      expect(read(`${before}${value.toLocaleString("en-US")}`)).toBe(value);
    },
  );

  property.prop([fc.double({ noNaN: true, noDefaultInfinity: true })])(
    "is exact for what JavaScript prints",
    (value) => {
      expect(read(String(value))).toBeCloseTo(value, 10);
    },
  );

  property.prop([fc.string({ unit: "binary", maxLength: 300 })])("never throws", (text) => {
    lastNumber(text);
    lastNumber(text, ",");
    wholeNumber(text);
  });

  property.prop([fc.array(fc.constantFrom(..."0123456789.,'’ -+/%e^x×$:_\n"), { maxLength: 60 })])(
    "never throws on what looks like numbers, and says the same twice",
    (characters) => {
      const text = characters.join("");
      expect(lastNumber(text)).toEqual(lastNumber(text));
    },
  );

  test("takes time in proportion to the text", () => {
    // Two hundred thousand signs: were it the square of that, the test would not come back.
    expect(read(`${"1 ".repeat(100_000)}and 7`)).toBe(7);
    expect(read(`${"1,".repeat(100_000)}`)).toBeUndefined();
    expect(read("\\frac{".repeat(30_000))).toBeUndefined();
  });
});

describe("wholeNumber", () => {
  test.each(["42", " -1,234.5 ", "$5", "-$5", "$-5", "3/4", "50%", "1e5", "5 €", "−7", "½"])(
    "reads %j",
    (text) => {
      expect(wholeNumber(text)).toBeDefined();
    },
  );
  test.each([
    "",
    "abc",
    "42 km",
    "2024-05-01",
    "5 apples",
    "1 2",
    "x5",
    "42.",
    "12:30",
    "Infinity",
    "NaN",
    "1,2",
  ])("refuses %j", (text) => {
    expect(wholeNumber(text)).toBeUndefined();
  });
});
