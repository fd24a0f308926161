import { z } from "zod";
import { randomStream, readOptions, userError } from "../../foundation/base/index.ts";
import type { Canary, Item, Problem, Task } from "../../foundation/contract/index.ts";
import { countItems, numberSets } from "./countdown/count-items.ts";
import { equals } from "./countdown/fraction.ts";
import { readExpression } from "./countdown/read-expression.ts";
import { reachableTargets, solveCountdown } from "./countdown/solve-countdown.ts";
import { itemOf } from "./items.ts";
import { canaryDifficulties, scaleOf, strataOf } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { right, wrong } from "./verifiers/verdicts.ts";

const name = "countdown";

const rangeOf = (most: number) =>
  z
    .tuple([z.number().int().min(1).max(most), z.number().int().min(1).max(most)])
    .readonly()
    .refine(([low, high]) => low <= high, "its first number is greater than its second");

const optionsSchema = z.strictObject({
  /** Fewest and most numbers that are given. */
  numbers: z
    .tuple([z.number().int().min(2).max(4), z.number().int().min(2).max(4)])
    .readonly()
    .refine(([low, high]) => low <= high, "its first number is greater than its second")
    .default([3, 4]),
  /** Least and greatest of them. */
  values: rangeOf(100).default([1, 25]),
  /** Least and greatest number to be reached. */
  target: rangeOf(1000).default([10, 100]),
  /** Most tokens of a response: room to think before the last line. */
  maxTokens: z.number().int().min(48).max(100_000).default(128),
});
/** `{ numbers, values, target, maxTokens }`. */
export type CountdownOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Reach a number from others, using each of them exactly once (after the television game; arXiv 2404.03683). Asked in
 * words; a response may reason, and is right when it is complete and its last line is an expression of + - * / and
 * parentheses that has the target's exact value and uses the given numbers, each as often as it was given. Before the
 * expression a label that ends with a colon may stand, after it `= target` and a full stop.
 *
 * The difficulty is how many numbers are given, 2 to 4. Every problem can be solved: numbers in an order and a target are
 * drawn uniformly among those that can. Canonical form is the sorted numbers and the target, `3,7,25=46`.
 *
 * @example
 * countdown({ numbers: [3, 4], target: [10, 100] })
 */
export function countdown(options: CountdownOptions = {}): Task {
  const { numbers, values, target: targets, maxTokens } = readOptions("countdown()", optionsSchema, options);
  const scale = scaleOf("numbers", numbers, { growTo: numbers[1], measureTo: numbers[1] });
  const task: Task = {
    name,
    version: 1,
    options: {
      numbers: numbers.join("-"),
      values: values.join("-"),
      target: targets.join("-"),
      maxTokens,
    },
    difficulty: scale,
    strata: strataOf(scale, (count) => {
      const items = countItems(count, values, targets);
      if (items > 0) return items;
      throw userError(
        "countdown-unsolvable",
        `countdown(): no ${count} numbers of ${values.join(" to ")} make a target of ${targets.join(" to ")}. Widen "target" or "values".`,
        { numbers: count },
      );
    }),
    characters: [...new Set(`${promptOf([0], 0)}0123456789+-*/() `)].join(""),
    verifier: {
      name: "countdown expression",
      version: 1,
      verify: (item, { text, complete }) => (complete && solves(item, text) ? right : wrong),
    },
    generate: (count, random) => {
      for (;;) {
        const drawn = Array.from({ length: count }, () => random.integer(...values));
        const problem = problemOf(drawn, random.integer(...targets));
        if (problem !== undefined) return problem;
      }
    },
    *enumerate(count) {
      for (const set of numberSets(count, values)) {
        for (const target of [...reachableTargets(set, targets)].sort((a, b) => a - b)) {
          const problem = problemOf(set, target);
          if (problem !== undefined) yield problem;
        }
      }
    },
    canonical: ({ prompt }) => {
      const { given, target } = read(prompt);
      return `${given.toSorted((a, b) => a - b).join(",")}=${target}`;
    },
    demonstrate: ({ prompt }, random) => {
      const { given, target } = read(prompt);
      const solution = solveCountdown(random.shuffle(given), target);
      if (solution === undefined) throw unreadablePrompt(name, prompt, "problems that have a solution");
      return solution;
    },
    maxTokens: () => maxTokens,
    canaries: () => canaryDifficulties(scale).flatMap((count) => canariesOf(task, count)),
  };
  return task;
}

/** Undefined where the target cannot be reached. */
function problemOf(given: readonly number[], target: number): Problem | undefined {
  const answer = solveCountdown(given, target);
  return answer === undefined
    ? undefined
    : { prompt: promptOf(given, target), answer, difficulty: given.length };
}

function promptOf(given: readonly number[], target: number): string {
  return `Reach ${target} from the numbers ${given.join(", ")}: use each of them exactly once, with +, -, *, / and parentheses. End with the expression on a line of its own.`;
}

function read(prompt: string): { readonly given: readonly number[]; readonly target: number } {
  const [, target, list = ""] = /^Reach (\d+) from the numbers (\d+(?:, \d+)+):/.exec(prompt) ?? [];
  const given = list.split(", ").map(Number);
  if (prompt !== promptOf(given, Number(target)))
    throw unreadablePrompt(name, prompt, JSON.stringify(promptOf([3, 7, 25], 46)));
  return { given, target: Number(target) };
}

function solves({ prompt }: Pick<Item, "prompt">, text: string): boolean {
  const { given, target } = read(prompt);
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  const [written = "", result, ...more] = last.replace(/\.$/, "").split(":").slice(-1).join("").split("=");
  if (more.length > 0 || (result !== undefined && result.trim() !== String(target))) return false;
  const expression = readExpression(written);
  return (
    expression !== undefined && sameNumbers(expression.numbers, given) && equals(expression.value, target)
  );
}

function sameNumbers(used: readonly number[], given: readonly number[]): boolean {
  const [left, right] = [used, given].map((list) => list.toSorted((a, b) => a - b).join());
  return left === right;
}

/** Answers of known truth to two problems of a difficulty. */
function canariesOf(task: Task, difficulty: number): Canary[] {
  const random = randomStream("countdown canaries", difficulty.toString());
  return [1, 2].flatMap(() => {
    const item = itemOf(task, task.generate(difficulty, random));
    const { given, target } = read(item.prompt);
    const known = item.answer ?? "";
    const [one = 0] = given;
    const total = given.reduce((sum, number) => sum + number, 0);
    const times = given.reduce((product, number) => product * number, 1);
    const accept = [known, `(${known}) = ${target}.`, `Let me think: 1 + 1 = 2.\n\nAnswer: ${known}\n`];
    const refuse = [
      "",
      String(target),
      `${target} = ${target}`,
      // The right value, with a number too many, one twice, or one that was not given.
      `${known} + ${one} - ${one}`,
      `(${known}) * ${one} / ${one}`,
      `${known} + 0`,
      `${known} = ${target + 1}`,
      `${known}\nThat is all.`,
      `${known})`,
      // The right numbers, and another value.
      ...(total === target ? [] : [given.join(" + ")]),
      ...(times === target ? [] : [given.join(" * ")]),
      given.join(" / 0 + "),
    ];
    return [
      ...accept.map((text) => ({ item, response: { text, complete: true }, right: true })),
      ...refuse.map((text) => ({ item, response: { text, complete: true }, right: false })),
      ...accept.map((text) => ({ item, response: { text, complete: false }, right: false })),
    ];
  });
}
