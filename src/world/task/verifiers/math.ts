import { type NoOptions, refuseOptions } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { comparing, type Reading } from "./comparison.ts";
import { answerText, rightSide } from "./math/answer-text.ts";
import { areEqual } from "./math/equal.ts";
import { type Expression, parseExpression } from "./math/parse.ts";

/**
 * Score 1 where a complete response ends in an expression that equals the item's reference answer, else 0. Reads numbers, fractions,
 * `+ − * / ^`, parentheses, percentages, roots, π, e, sin, cos, tan, ln, log (base 10), exp, |x|, symbols, and simple LaTeX (`\frac`,
 * `\sqrt[n]`, `\boxed`, `\cdot`, …). The answer is what the last `\boxed{}` holds, else the last line's last formula, or what follows
 * its last "is", "=" or ":". Fractions are compared exactly, other values to twelve digits, symbols at seven points. Text is read by a
 * small parser of its own and nothing in it is executed; more than 400 characters are no answer.
 *
 * @example
 * const verifier = math(); // takes "So it is $\\frac{x+1}{2}$." where the answer is "(1 + x)/2"
 */
export function math(options: NoOptions = {}): Verifier {
  refuseOptions("math()", options);
  return comparing<Expression>({
    name: "math",
    version: 1,
    description: {},
    read: (answer): Reading<Expression> => {
      const text = answer.includes("\\boxed") ? answerText(answer) : rightSide(answer);
      const reference = text === undefined ? undefined : parseExpression(text);
      // Its value is looked for as well: 1/0 is written like an answer and equals nothing.
      return reference && areEqual(reference, reference)
        ? { reference }
        : { fault: `${JSON.stringify(answer.slice(0, 60))} is no expression that has a value` };
    },
    judge: (reference, text) => {
      const answer = answerText(text);
      const expression = answer === undefined ? undefined : parseExpression(answer);
      return expression !== undefined && areEqual(reference, expression);
    },
    same: areEqual,
    rightForms: (_, answer) => {
      const text = (answer.includes("\\boxed") ? answerText(answer) : rightSide(answer)) ?? answer;
      return [
        text,
        `\\boxed{${text}}`,
        `So the answer is $${text}$.`,
        `(${text})*1`,
        `First 1 + 1 = 2.\n\n= ${text}`,
      ];
    },
    wrongForms: (_, answer) => {
      const text = (answer.includes("\\boxed") ? answerText(answer) : rightSide(answer)) ?? answer;
      return [
        "I do not know.",
        `(${text})+1`,
        `\\boxed{(${text}) - 1}`,
        `${text} or (${text})+1`,
        `\\boxed{${text}`,
      ];
    },
  });
}
