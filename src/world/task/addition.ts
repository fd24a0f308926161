import { z } from "zod";
import { type RandomStream, readOptions } from "../../foundation/base/index.ts";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { type AdditionForm, additionForms } from "./addition-form.ts";
import { exactCanaries } from "./canaries.ts";
import { itemOf } from "./items.ts";
import { baseSchema, canaryDifficulties, checkReach, reachShape, scaleOf, strataOf } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { exactAnswer } from "./verifiers/exact-answer.ts";

const name = "addition";
const digitCharacters = "0123456789";

const optionsSchema = z
  .strictObject({
    /** How a sum is written; `interleaved` is the easiest to learn. */
    form: z.enum(["interleaved", "plain", "reversed"]).default("interleaved"),
    /** Least and greatest number of digits of each operand that has demonstrations. */
    digits: baseSchema.default([1, 6]),
    ...reachShape,
  })
  .superRefine(checkReach("digits"));
/** `{ form, digits, growTo, measureTo }`. */
export type AdditionOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Adds two numbers of `n` digits each; the difficulty is `n`.
 *
 * | form | 123 + 989 is asked as | and answered as | digits of the answer |
 * |---|---|---|---|
 * | `interleaved` | `392819=` | `2111` | n + 1, least significant first, the carry always written |
 * | `reversed` | `321+989=` | `2111` | n + 1, least significant first, the carry always written |
 * | `plain` | `123+989=` | `1112` | n or n + 1, most significant first, as people write it |
 *
 * Operands of the first two forms may begin with zeros; those of `plain` may not, except for 0 itself. Canonical form is
 * the pair of numbers, the smaller first: a + b and b + a are one item, and so is a sum in another form. Problems are
 * drawn uniformly among ordered pairs.
 *
 * @example
 * addition({ form: "interleaved", digits: [1, 6], growTo: 12 })
 */
export function addition(options: AdditionOptions = {}): Task {
  const { form: formName, digits, ...reach } = readOptions("addition()", optionsSchema, options);
  const form: AdditionForm = additionForms[formName];
  const scale = scaleOf("digits", digits, reach);
  const operands = (prompt: string): readonly [string, string] => {
    const read = form.read(prompt);
    if (read === undefined) throw unreadablePrompt(name, prompt, form.shape);
    return read;
  };
  const solve = (prompt: string): string => form.writeSum(sumOf(...operands(prompt)));
  const problemOf = (left: string, right: string): Problem => ({
    prompt: form.write(left, right),
    answer: form.writeSum(sumOf(left, right)),
    difficulty: left.length,
  });
  const task: Task = {
    name,
    version: 1,
    options: {
      form: formName,
      digits: digits.join("-"),
      growTo: scale.growTo,
      measureTo: scale.measureTo,
    },
    difficulty: scale,
    strata: strataOf(scale, (count) => pairsOf(numbersOf(count, form).many)),
    characters: digitCharacters + form.signs,
    verifier: exactAnswer(solve),
    generate: (count, random) => {
      const left = drawNumber(count, form, random);
      return problemOf(left, drawNumber(count, form, random));
    },
    *enumerate(count) {
      const { least, many } = numbersOf(count, form);
      const written = (value: number): string => String(value).padStart(count, "0");
      for (let left = least; left < least + many; left++)
        for (let right = left; right < least + many; right++) yield problemOf(written(left), written(right));
    },
    canonical: ({ prompt }) => {
      const [left, right] = operands(prompt);
      return left <= right ? `${left}+${right}` : `${right}+${left}`;
    },
    demonstrate: ({ prompt }) => solve(prompt),
    // The longest answer has one digit more than an operand; three more let an over-long one show, and one ends it.
    maxTokens: ({ difficulty }) => difficulty + 1 + 4,
    canaries: () =>
      exactCanaries(
        canaryDifficulties(scale).flatMap((count) =>
          knownSums(count).map(([left, right, sum]) => ({
            item: itemOf(task, { prompt: form.write(left, right), difficulty: count }),
            answer: form.writeSum(sum),
            traps: [sum, sum.slice(1), [...sum].reverse().join(""), form.writeSum(`0${left}`)],
          })),
        ),
        [...digitCharacters],
      ),
  };
  return task;
}

/** The sum with exactly one digit more than the operands, most significant first. */
function sumOf(left: string, right: string): string {
  return (BigInt(left) + BigInt(right)).toString().padStart(left.length + 1, "0");
}

/** Sums that every child knows, whatever the number of digits. */
function knownSums(count: number): [left: string, right: string, sum: string][] {
  const all = (digit: string, times = count): string => digit.repeat(times);
  return [
    [all("1"), all("2"), `0${all("3")}`],
    [all("5"), all("5"), `${all("1")}0`],
    [all("9"), `1${all("0", count - 1)}`, `10${all("9", count - 1)}`],
    [all("9"), all("9"), `1${all("9", count - 1)}8`],
  ];
}

/** The numbers that the form writes with so many digits: the least, and how many there are. */
function numbersOf(count: number, { leadingZeros }: AdditionForm): { least: number; many: number } {
  return leadingZeros || count === 1
    ? { least: 0, many: 10 ** count }
    : { least: 10 ** (count - 1), many: 9 * 10 ** (count - 1) };
}

/** Unordered pairs, a number with itself among them. */
function pairsOf(numbers: number): number {
  return (numbers * (numbers + 1)) / 2;
}

function drawNumber(count: number, { leadingZeros }: AdditionForm, random: RandomStream): string {
  let written = String(random.integer(leadingZeros || count === 1 ? 0 : 1, 9));
  for (let index = 1; index < count; index++) written += random.integer(0, 9);
  return written;
}
