import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type NumericOptions, numeric } from "./numeric.ts";

const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const scoreOf = async (options: NumericOptions, answer: string, text: string): Promise<unknown> => {
  const verdict = await numeric(options).verify({ ...base, answer }, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

describe("numeric", () => {
  test.each<[NumericOptions, string, string, number]>([
    [{}, "42", "17 + 25 = 42", 1],
    [{}, "42", "The answer is 42.", 1],
    [{}, "42", "42.0", 1],
    [{}, "42", "42.00001", 0],
    [{}, "42", "-42", 0],
    [{}, "42", "42 or 43", 0],
    [{}, "42", "forty-two", 0],
    [{}, "1,234", "1234", 1],
    [{}, "1234", "1 234", 1],
    [{}, "-5", "\u22125", 1],
    [{}, "0.75", "3/4", 1],
    [{}, "1/3", "2/6", 1],
    [{}, "1/3", "0.3333", 0],
    [{ tolerance: 0.001 }, "1/3", "0.3333", 1],
    [{ tolerance: 0.1 }, "0.3", "0.4", 1],
    [{ tolerance: 0.1 }, "0.3", "0.40000001", 0],
    [{ relative: 0.01 }, "200", "202", 1],
    [{ relative: 0.01 }, "200", "202.1", 0],
    [{ relative: 0.01 }, "-200", "-198", 1],
    [{ relative: 0.5 }, "0", "0.1", 0],
    [{ relative: 0.01, tolerance: 5 }, "10", "15", 1],
    [{}, "12345678901234567890", "12345678901234567891", 0],
    [{}, "0.1", "0.10000000000000000001", 0],
    [{}, "$5", "It costs 5 dollars", 1],
    [{}, "5", "$5.00", 1],
    [{}, "50%", "50%", 1],
    [{}, "50%", "50", 1],
    [{}, "50%", "0.5", 1],
    [{}, "50", "50%", 1],
    [{}, "0.5", "50%", 1],
    [{}, "0.5", "0.5%", 0],
    [{}, "50", "0.5", 0],
    [{}, "50%", "5000%", 0],
    [{}, "long ago\n#### 1,000", "1000", 1],
    [{ decimal: "," }, "1.234,5", "1234,5", 1],
    [{ decimal: "," }, "3,5", "3.5", 0],
  ])("with %j and the answer %j gives %j the score %d", async (options, answer, text, score) => {
    expect(await scoreOf(options, answer, text)).toBe(score);
  });

  test.each(["abc", "", "2024-05-01", "42 km", "12:30", "Infinity", "1/0", "three"])(
    "says that %j is no number",
    async (answer) => {
      const fault = `${JSON.stringify(answer)} is not a number`;
      expect(numeric().faultOf?.({ prompt: "", answer })).toBe(fault);
      expect(await scoreOf({}, answer, answer)).toBe(fault);
    },
  );

  test.each([
    { tolerance: -1 },
    { tolerance: Number.NaN },
    { relative: 2 },
    { decimal: ";" },
    { toleranse: 1 },
  ])("refuses %j", (options) => {
    expect(() => numeric(options as never)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });

  property.prop([
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: 0, max: 20 }),
  ])("is right within the tolerance and nowhere else", async (answer, difference, tolerance) => {
    const score = Math.abs(difference) <= tolerance ? 1 : 0;
    expect(await scoreOf({ tolerance }, String(answer), `It is ${answer + difference}.`)).toBe(score);
  });
});
