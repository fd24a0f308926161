import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { comparing } from "./comparison.ts";
import { lastNumber, type WrittenNumber, wholeNumber } from "./number-text.ts";
import { add, compare, multiply, negate, type Rational, rational, rationalOf } from "./rational.ts";

const options = z.strictObject({
  tolerance: z.number().min(0).max(1e100).default(0),
  relative: z.number().min(0).max(1).default(0),
  decimal: z.enum([".", ","]).default("."),
});

export interface NumericOptions {
  /** Greatest difference from the reference that is still right; 0 if left out. */
  readonly tolerance?: number;
  /** Greatest difference as a share of the reference's size, such as 0.01; 0 if left out. The larger of the two counts. */
  readonly relative?: number;
  /** The sign before decimals: `","` for files and answers that write 1.234,5. */
  readonly decimal?: "." | ",";
}

const none: Rational = { numerator: 0n, denominator: 1n };
const one: Rational = { numerator: 1n, denominator: 1n };

/**
 * Score 1 where the last number of a complete response is the item's reference answer, compared exactly, else 0. Reads signs,
 * decimals, thousands (`1,234.5`, `1 234`), `1.2e3`, `1.2 × 10^3`, fractions (`3/4`, `1 1/2`, `\frac{3}{4}`), currency signs and
 * percentages: `50%` is 0.5, and also 50 where only one of the two has a percent sign (except that `0.5%` is never 0.5 of a
 * reference without one). A last number that can be read in two ways (`3-5`, `1,2,3`, `12:30`, `7 + 8`) scores 0. A reference
 * answer is a number alone, or ends in `#### number`. Throws `invalid-option`.
 *
 * @example
 * const verifier = numeric({ relative: 0.01 }); // takes "It is about 3.14." where the answer is "3.14159"
 */
export function numeric(given: NumericOptions = {}): Verifier {
  const { tolerance, relative, decimal } = readOptions("numeric()", options, given);
  const [absolute, share] = [exactOf(tolerance), exactOf(relative)];
  const allowance = (reference: Rational): Rational => {
    const ofSize = multiply(share, sizeOf(reference)) ?? none;
    return compare(ofSize, absolute) > 0 ? ofSize : absolute;
  };
  const near = (reference: Rational, value: Rational | undefined): boolean => {
    const difference = value && add(value, negate(reference));
    return difference !== undefined && compare(sizeOf(difference), allowance(reference)) <= 0;
  };
  const same = (reference: WrittenNumber, written: WrittenNumber): boolean =>
    readings(reference, written).some(([expected, value]) => near(expected, value));
  return comparing<WrittenNumber>({
    name: "numeric",
    version: 1,
    description: { tolerance, relative, decimal },
    read: (answer) => {
      const text = /####\s*(.+?)\s*$/.exec(answer)?.[1] ?? answer;
      const reference = wholeNumber(text, decimal);
      return reference ? { reference } : { fault: `${JSON.stringify(shortened(answer))} is not a number` };
    },
    judge: (reference, text) => {
      const written = lastNumber(text, decimal);
      return written !== undefined && same(reference, written);
    },
    same,
    rightForms: (_, answer) => rightForms(/####\s*(.+?)\s*$/.exec(answer)?.[1] ?? answer.trim(), decimal),
    wrongForms: (reference) => {
      const step =
        add(one, multiply(allowance(reference.value), { numerator: 2n, denominator: 1n }) ?? none) ?? one;
      const beside = [
        add(reference.value, step),
        add(reference.value, negate(step)),
        negate(reference.value),
      ];
      const values = beside.flatMap((value) => (value ? [{ value, percent: reference.percent }] : []));
      return [
        "I do not know.",
        ...values.filter((written) => !same(reference, written)).map((written) => fractionText(written)),
      ];
    },
  });
}

/** What may be compared with what: of two numbers of which one has a percent sign, also the plain figures. */
function readings(reference: WrittenNumber, written: WrittenNumber): [Rational, Rational | undefined][] {
  const hundred = { numerator: 100n, denominator: 1n };
  const plain: [Rational, Rational | undefined] = [reference.value, written.value];
  if (reference.percent === written.percent) return [plain];
  if (reference.percent) return [plain, [multiply(reference.value, hundred) ?? none, written.value]];
  const readAsPercent = compare(sizeOf(reference.value), one) >= 0;
  return readAsPercent ? [plain, [reference.value, multiply(written.value, hundred)]] : [plain];
}

function rightForms(figure: string, decimal: "." | ","): string[] {
  const forms = [figure, `The answer is ${figure}.`, `**${figure}**`, `2 and 3, so it is\n${figure}\n`];
  const digits = /^-?(\d+)$/.exec(figure)?.[1];
  if (digits === undefined) return forms;
  const thousands = figure.replace(/\B(?=(?:\d{3})+$)/g, decimal === "." ? "," : ".");
  return [...forms, `${figure}${decimal}0`, `= ${figure}`, thousands, figure.replace("-", "−")];
}

function fractionText({ value, percent }: WrittenNumber): string {
  const shown = percent ? (multiply(value, { numerator: 100n, denominator: 1n }) ?? value) : value;
  const below = shown.denominator === 1n ? "" : `/${shown.denominator}`;
  return `${shown.numerator}${below}${percent ? "%" : ""}`;
}

function sizeOf(value: Rational): Rational {
  return value.numerator < 0n ? negate(value) : value;
}

function exactOf(value: number): Rational {
  return rationalOf(String(value)) ?? rational(0n) ?? none;
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
