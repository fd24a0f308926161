import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Canary, Problem, Task } from "../../foundation/contract/index.ts";
import { type ArithmeticKind, arithmeticKind, arithmeticKindNames } from "./arithmetic-kinds.ts";
import { itemOf } from "./items.ts";
import { kindScale } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { numeric } from "./verifiers/numeric.ts";

const name = "arithmetic";
const operand = z.number().int().min(0).max(9999);
const range = z
  .tuple([operand, operand])
  .readonly()
  .refine(([low, high]) => low <= high, "its first number is greater than its second");
const rangeOf = (kind: (typeof arithmeticKindNames)[number]) =>
  range.default(() => [...arithmeticKind(kind).range] as const);

const optionsSchema = z.strictObject({
  /** Which kinds are asked, each as often as the others. */
  kinds: z
    .array(z.enum(arithmeticKindNames))
    .min(1)
    .refine((kinds) => new Set(kinds).size === kinds.length, "a kind stands in it twice")
    .readonly()
    .default(arithmeticKindNames),
  /** Least and greatest operand of each kind. */
  product: rangeOf("product"),
  sum: rangeOf("sum"),
  difference: rangeOf("difference"),
});
/** `{ kinds, product, sum, difference }`. */
export type ArithmeticOptions = Readonly<z.input<typeof optionsSchema>>;

/** A kind with the operands that it is asked about. */
interface Asked extends ArithmeticKind {
  readonly name: string;
  readonly number: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Arithmetic in words, for models that read and write: `What is 17 + 25? Answer with just the number.` A response is
 * right when it is complete and its last number is the result (`numeric()` reads it).
 *
 * | kind | asked as | operands | canonical form | distinct |
 * |---|---|---|---|---|
 * | `product` | `What is 7 * 8? …` | 2–12 | `7*8`, the smaller first | 66: enumerated, outside the gate |
 * | `sum` | `What is 17 + 25? …` | 1–99 | `17+25`, the smaller first | 4,950 |
 * | `difference` | `What is 25 - 17? …` | 1–49, never below 0 | `25-17` | 1,225 |
 *
 * Kinds are strata of equal weight, numbered as in this table, and not in any order of difficulty. Problems are drawn
 * uniformly among ordered pairs of operands (of a difference: pairs whose first is not the smaller). A product or a sum is
 * one item in either order; where it is enumerated, it is asked with the smaller operand first.
 *
 * @example
 * arithmetic({ kinds: ["sum", "difference"], sum: [1, 99] })
 */
export function arithmetic(options: ArithmeticOptions = {}): Task {
  const { kinds, ...ranges } = readOptions("arithmetic()", optionsSchema, options);
  const asked = arithmeticKindNames
    .filter((kind) => kinds.includes(kind))
    .map((kind, index): Asked => {
      const [low, high] = ranges[kind];
      return { ...arithmeticKind(kind), name: kind, number: index + 1, low, high };
    });
  const kindAt = (number: number): Asked => {
    const kind = asked[number - 1];
    if (kind === undefined) throw new RangeError(`arithmetic has kinds 1 to ${asked.length}, not ${number}`);
    return kind;
  };
  const read = (prompt: string): { kind: Asked; left: number; right: number } => {
    const [, left, sign, right] =
      /^What is (\d+) (\S) (\d+)\? Answer with just the number\.$/.exec(prompt) ?? [];
    const kind = asked.find((one) => one.sign === sign);
    if (kind === undefined)
      throw unreadablePrompt(name, prompt, `"What is 17 ${asked[0]?.sign} 4? Answer with just the number."`);
    return { kind, left: Number(left), right: Number(right) };
  };
  const solve = (prompt: string): number => {
    const { kind, left, right } = read(prompt);
    return kind.solve(left, right);
  };
  const problemOf = (kind: Asked, left: number, right: number): Problem => ({
    prompt: `What is ${left} ${kind.sign} ${right}? Answer with just the number.`,
    answer: String(kind.solve(left, right)),
    difficulty: kind.number,
  });
  const { scale, strata } = kindScale(
    asked.map(({ name: kind, low, high }) => {
      const numbers = high - low + 1;
      return { name: kind, distinct: (numbers * (numbers + 1)) / 2, weight: 1 };
    }),
  );
  const numbers = numeric();
  const task: Task = {
    name,
    version: 1,
    options: {
      kinds: asked.map((kind) => kind.name).join(","),
      ...Object.fromEntries(asked.map((kind) => [kind.name, `${kind.low}-${kind.high}`])),
    },
    difficulty: scale,
    strata,
    characters: `0123456789 What is? Answer with just the number.${asked.map(({ sign }) => sign).join("")}`,
    verifier: {
      ...numbers,
      // Worked out from the prompt, so that a mistaken reference answer cannot mislead it.
      verify: (item, response) => numbers.verify({ ...item, answer: String(solve(item.prompt)) }, response),
    },
    generate: (number, random) => {
      const kind = kindAt(number);
      const draw = (): number => random.integer(kind.low, kind.high);
      let [left, right] = [draw(), draw()];
      while (!kind.commutes && left < right) [left, right] = [draw(), draw()];
      return problemOf(kind, left, right);
    },
    *enumerate(number) {
      const kind = kindAt(number);
      for (let small = kind.low; small <= kind.high; small++)
        for (let great = small; great <= kind.high; great++)
          yield kind.commutes ? problemOf(kind, small, great) : problemOf(kind, great, small);
    },
    canonical: ({ prompt }) => {
      const { kind, left, right } = read(prompt);
      const [first, second] = kind.commutes && left > right ? [right, left] : [left, right];
      return `${first}${kind.sign}${second}`;
    },
    demonstrate: ({ prompt }) => String(solve(prompt)),
    // "The answer is 1,234." and the token that ends it.
    maxTokens: () => 16,
    canaries: () => asked.flatMap((kind) => canariesOf(task, kind, problemOf)),
  };
  return task;
}

/** Answers of known truth about the least, the greatest and a middle question of a kind. */
function canariesOf(
  task: Task,
  kind: Asked,
  problemOf: (kind: Asked, left: number, right: number) => Problem,
): Canary[] {
  const { low, high } = kind;
  const middle = Math.ceil((low + high) / 2);
  const questions = [
    [low, low],
    [high, low],
    [high, middle],
  ] as const;
  return questions.flatMap(([left, right]) => {
    const item = itemOf(task, problemOf(kind, left, right));
    const answer = kind.count(left, right);
    const accept = [`${answer}`, `The answer is ${answer}.`, `${left} ${kind.sign} ${right} = ${answer}`];
    const near = [answer + 1, answer + 10, answer * 10 + 1, -answer - 1].map(String);
    const refuse = ["", "I do not know.", ...near, `${answer} is not ${answer + 1}`];
    return [
      ...accept.map((text) => ({ item, response: { text, complete: true }, right: true })),
      ...refuse.map((text) => ({ item, response: { text, complete: true }, right: false })),
      ...accept.map((text) => ({ item, response: { text, complete: false }, right: false })),
    ];
  });
}
