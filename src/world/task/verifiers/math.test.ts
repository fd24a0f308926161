import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { math } from "./math.ts";

const verifier = math();
const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const scoreOf = async (answer: string, text: string): Promise<unknown> => {
  const verdict = await verifier.verify({ ...base, answer }, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

describe("math", () => {
  test.each([
    ["3/4", "\\frac{3}{4}"],
    ["3/4", "0.75"],
    ["3/4", "\\boxed{\\dfrac34}"],
    ["3/4", "75\\%"],
    ["50%", "1/2"],
    ["1/2", "The answer is $\\frac{1}{2}$."],
    ["-1/2", "-\\frac{1}{2}"],
    ["-1/2", "\\frac{-1}{2}"],
    ["1,234", "1234"],
    ["1/3", "2/6"],
    ["42", "17 + 25 = 42"],
    ["42", "17 + 25"],
    ["42", "x = 42"],
    ["x = 42", "42"],
    ["42", "**42**"],
    ["42", "Answer: 42."],
    ["1.5", "1\\frac{1}{2}"],
    ["1.5", "1 1/2"],
    ["2\\sqrt{3}", "\\sqrt{12}"],
    ["2*sqrt(3)", "√12"],
    ["sqrt(2)/2", "1/sqrt(2)"],
    ["\\sqrt[3]{8}", "2"],
    ["4^(1/2)", "2"],
    ["-2", "(-8)^(1/3)"],
    ["12\\pi", "The area is 12π."],
    ["12π", "12*pi"],
    ["2^10", "1024"],
    ["2^-1", "0.5"],
    ["2^{10}", "2**10"],
    ["-4", "-2^2"],
    ["4", "(-2)^2"],
    ["512", "2^3^2"],
    ["10^100 + 1", "1 + 10^{100}"],
    ["x^2+2x+1", "(x+1)^2"],
    ["x^2+2x+1", "(x + 1)(1 + x)"],
    ["xy", "y \\cdot x"],
    ["(x+1)/2", "\\frac{x+1}{2}"],
    ["\\frac{x^2-1}{x-1}", "x+1"],
    ["x²", "x*x"],
    ["|x|", "\\sqrt{x^2}"],
    ["sin(x)^2 + cos(x)^2", "1"],
    ["\\sin^2 x", "1 - \\cos^2 x"],
    ["e^2", "exp(2)"],
    ["\\ln(e)", "1"],
    ["x_1 + x_2", "x_{2} + x_1"],
    ["\\alpha/2", "0.5\\alpha"],
    ["5", "5 \\text{ cm}"],
    ["90", "90^\\circ"],
    ["30", "$30"],
    ["0.1+0.2", "0.3"],
    ["6", "\\left( 2 \\cdot 3 \\right)"],
    ["7", "one step\n\n\\[ 3 + 4 = 7 \\]"],
    ["7", "\\boxed{6} and no: \\boxed{7}"],
    ["sin(pi)", "0"],
    ["ln(x)", "\\log(x)/\\log(e)"],
  ])("takes for %j: %j", async (answer, text) => {
    expect(verifier.faultOf?.({ prompt: "", answer })).toBeUndefined();
    expect(await scoreOf(answer, text)).toBe(1);
  });

  test.each([
    ["3/4", "4/3"],
    ["3/4", "0.7500001"],
    ["1/3", "0.3333333333"],
    ["\\pi\\cdot 10^{-20}", "2\\pi\\cdot 10^{-20}"],
    ["\\sqrt{2}\\cdot10^{-15}", "0"],
    ["x e^{-40}", "2x e^{-40}"],
    ["e^{-50}", "0"],
    ["42", "43"],
    ["42", "421"],
    ["42", "42 or 43"],
    ["2", "x = 1 or x = 2"],
    ["2", "1, 2"],
    ["3", "±3"],
    ["42", "fortytwo"],
    ["42", ""],
    ["42", "\\boxed{42"],
    ["42", "\\boxed{} 42"],
    ["10^100 + 1", "10^100"],
    ["x+1", "x+1+10^-30"],
    ["x", "y"],
    ["x", "\\sqrt{x^2}"],
    ["x^2", "2x"],
    ["5", "x"],
    ["5", "5 apples"],
    ["act", "the"],
    ["0", "1/0"],
    ["0", "1/0 - 1/0"],
    ["1", "1/0"],
    ["42", "42 43"],
    ["2", "2..0"],
    ["4", "2^"],
    ["1", "9^9^9^9^9"],
    ["1", `${"(".repeat(150)}1${")".repeat(150)}`],
    ["1", "1+0".repeat(500)],
    ["42", "\\input{/etc/passwd} 42"],
    ["42", "\\unknown{42}"],
  ])("does not take for %j: %j", async (answer, text) => {
    expect(await scoreOf(answer, text)).toBe(0);
  });

  test.each([
    "",
    "abc def",
    "the cat",
    "1/0",
    "2^",
    "(1, 2)",
    "1 or 2",
    "x > 3",
    "is it",
    "a cat",
    "9^9^9^9",
  ])("says that %j is no reference", (answer) => {
    expect(verifier.faultOf?.({ prompt: "", answer })).toMatch(/is no expression that has a value/);
  });

  property.prop([fc.integer(), fc.integer({ min: 1 }), fc.integer({ min: 1, max: 50 })])(
    "fractions are exact",
    async (above, below, times) => {
      const answer = `${above}/${below}`;
      expect(await scoreOf(answer, `\\frac{${above * times}}{${below * times}}`)).toBe(1);
      expect(await scoreOf(answer, `\\frac{${above * times + 1}}{${below * times}}`)).toBe(0);
    },
  );

  const polynomial = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 });
  const shown = (coefficients: readonly number[]): string =>
    coefficients.map((coefficient, power) => `(${coefficient})x^${power}`).join("+");
  property.prop([polynomial, polynomial])(
    "polynomials are equal if their coefficients are",
    async (one, other) => {
      const trimmed = (coefficients: readonly number[]): string =>
        coefficients.join().replace(/(?:,?-?0)+$/, "");
      const product = one
        .flatMap((a, i) => other.map((b, j) => `${a * b}*x^${i + j}`))
        .join("+")
        .replaceAll("+-", "-");
      if (product.length < 350)
        expect(await scoreOf(`(${shown(one)})*(${shown(other)})+0x`, `${product}`)).toBe(1);
      const same = trimmed(one) === trimmed(other);
      expect(await scoreOf(`${shown(one)}+0x`, `${shown(other)}`)).toBe(same ? 1 : 0);
    },
  );

  const pieces = [
    "\\frac",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "|",
    "^",
    "_",
    "%",
    "+",
    "-",
    "*",
    "/",
    "x",
    "12",
    "1,234",
    ".5",
    "\\sqrt",
    "\\boxed{",
    "$",
    "=",
    " ",
    "sin",
    "\\pi",
    "e",
    "\n",
  ];
  property.prop([fc.array(fc.constantFrom(...pieces), { maxLength: 80 })])(
    "never throws, and says the same twice",
    async (parts) => {
      const text = parts.join("");
      const first = await scoreOf("x^2 + 1", text);
      expect(first).toBeTypeOf("number");
      expect(await scoreOf("x^2 + 1", text)).toBe(first);
    },
  );

  test("takes little time for whatever is written", async () => {
    const long = `${"7".repeat(190)}^${"7".repeat(190)}`;
    const tall = Array(60).fill("(x+1/7)").join("^9*");
    const sums = Array.from({ length: 45 }, (_, index) => `1/(x+${index})^9`)
      .join("+")
      .slice(0, 399);
    for (const text of [
      long,
      tall,
      sums,
      `sqrt(${"9".repeat(300)})`,
      "2^".repeat(150),
      "-".repeat(399),
      "\\[".repeat(50_000),
      "$".repeat(99_999),
    ])
      expect(await scoreOf("x^2 + 1", text)).toBe(0);
  });
});
