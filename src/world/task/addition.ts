import { z } from "zod";
import { type RandomStream, readOptions } from "../../foundation/base/index.ts";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { exactAnswer, exactCanaries } from "./exact-answer.ts";
import { itemOf } from "./items.ts";
import { scaleOf, strataOf } from "./strata.ts";

const optionsSchema = z.strictObject({
  /**
   * `plain`: `12+34=` → `046`; `reversed`: both operands and the sum least significant digit first, `21+43=` → `640`;
   * `interleaved`: the operands digit by digit, least significant first, `2143=` → `640`.
   */
  form: z.enum(["plain", "reversed", "interleaved"]).default("interleaved"),
  /** Digits of both operands that the task demonstrates. */
  digits: z.tuple([z.number().int().min(1), z.number().int().min(1)]).default([1, 6]),
  growTo: z.number().int().min(1).default(12),
  measureTo: z.number().int().min(1).default(14),
});
export type AdditionOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Adding two numbers of n digits each, leading zeros allowed; the sum always has n + 1 digits. Difficulty is n. `a + b` and
 * `b + a` are one item, so that no commuted twin of a training item is ever measured.
 *
 * @example
 * addition({ form: "interleaved", digits: [1, 6], growTo: 12 })
 */
export function addition(options: AdditionOptions = {}): Task {
  const { form, digits, growTo, measureTo } = readOptions("addition()", optionsSchema, options);
  const difficulty = scaleOf("addition()", "digits", digits, growTo, measureTo);
  const backwards = (text: string): string => [...text].reverse().join("");
  const problem = (left: string, right: string): Problem => {
    const size = left.length;
    const sum = (BigInt(left) + BigInt(right)).toString().padStart(size + 1, "0");
    const [a, b] = [backwards(left), backwards(right)];
    const prompt =
      form === "plain"
        ? `${left}+${right}=`
        : form === "reversed"
          ? `${a}+${b}=`
          : `${Array.from(a, (digit, index) => `${digit}${b[index] ?? ""}`).join("")}=`;
    return { prompt, answer: form === "plain" ? sum : backwards(sum), difficulty: size };
  };
  const operands = (prompt: string): [string, string] => {
    const text = prompt.slice(0, -1);
    if (form !== "interleaved") return text.split("+") as [string, string];
    return [0, 1].map((from) => [...text].filter((_, index) => index % 2 === from).join("")) as [
      string,
      string,
    ];
  };
  const task: Task = {
    name: `addition (${form})`,
    version: 1,
    options: { form, digits: digits.join("–"), growTo, measureTo },
    difficulty,
    strata: strataOf(difficulty, (size) => (10 ** size * (10 ** size + 1)) / 2),
    characters: form === "interleaved" ? "0123456789=" : "0123456789+=",
    verifier: exactAnswer("exact sum"),
    generate: (size: number, random: RandomStream) => {
      const number = (): string => Array.from({ length: size }, () => random.integer(0, 9)).join("");
      return problem(number(), number());
    },
    *enumerate(size) {
      for (let left = 0; left < 10 ** size; left++)
        for (let right = left; right < 10 ** size; right++)
          yield problem(String(left).padStart(size, "0"), String(right).padStart(size, "0"));
    },
    canonical: ({ prompt }) => operands(prompt).sort().join("+"),
    demonstrate: (item) => item.answer ?? "",
    maxTokens: (item) => item.difficulty + 5,
    canaries: () => {
      const size = digits[1];
      return exactCanaries(
        [
          ["9".repeat(size), "1".padStart(size, "0")],
          ["4".repeat(size), "3".repeat(size)],
        ].map(([left = "", right = ""]) => itemOf(task, problem(left, right))),
      );
    },
  };
  return task;
}
