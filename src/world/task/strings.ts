import { z } from "zod";
import { type RandomStream, readOptions } from "../../foundation/base/index.ts";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { exactAnswer, exactCanaries } from "./exact-answer.ts";
import { itemOf } from "./items.ts";
import { scaleOf, strataOf } from "./strata.ts";

const optionsSchema = z.strictObject({
  /** Lengths that the task demonstrates. */
  lengths: z.tuple([z.number().int().min(1), z.number().int().min(1)]).default([1, 8]),
  /** The greatest length that a run trains itself towards. */
  growTo: z.number().int().min(1).default(16),
  /** The greatest length that is measured. */
  measureTo: z.number().int().min(1).default(18),
  alphabet: z
    .string()
    .min(2)
    .refine(
      (text) => new Set(text).size === [...text].length && !text.includes("="),
      "expected distinct characters without “=”",
    )
    .default("0123456789"),
});
export type StringTaskOptions = Readonly<z.input<typeof optionsSchema>>;

/** `x1…xn=` is answered with a rearrangement of `x1…xn`. */
function stringTask(name: string, options: StringTaskOptions, rearrange: (text: string) => string): Task {
  const { lengths, growTo, measureTo, alphabet } = readOptions(`${name}()`, optionsSchema, options);
  const letters = [...alphabet];
  const difficulty = scaleOf(`${name}()`, "length", lengths, growTo, measureTo);
  const problem = (text: string): Problem => ({
    prompt: `${text}=`,
    answer: rearrange(text),
    difficulty: text.length,
  });
  const task: Task = {
    name,
    version: 1,
    options: { lengths: lengths.join("–"), growTo, measureTo, alphabet },
    difficulty,
    strata: strataOf(difficulty, (length) => letters.length ** length),
    characters: `${alphabet}=`,
    verifier: exactAnswer(`exact ${name}`),
    generate: (length: number, random: RandomStream) =>
      problem(Array.from({ length }, () => random.pick(letters)).join("")),
    *enumerate(length) {
      const count = letters.length ** length;
      for (let index = 0; index < count; index++) {
        let text = "";
        for (let rest = index, place = 0; place < length; place++, rest = Math.floor(rest / letters.length))
          text = (letters[rest % letters.length] ?? "") + text;
        yield problem(text);
      }
    },
    canonical: ({ prompt }) => prompt,
    demonstrate: (item) => item.answer ?? "",
    maxTokens: (item) => item.difficulty + 4,
    canaries: () => {
      const text = Array.from({ length: lengths[1] }, (_, index) => letters[index % letters.length]).join("");
      const items = [text, `${letters[1]}${text.slice(1)}`].map((one) => itemOf(task, problem(one)));
      const copied = items.filter(({ prompt, answer }) => prompt.slice(0, -1) !== answer);
      return [
        ...exactCanaries(items),
        ...copied.map((item) => ({
          item,
          response: { text: item.prompt.slice(0, -1), complete: true },
          right: false,
        })),
      ];
    },
  };
  return task;
}

/**
 * Writing a string backwards: `123=` → `321`. Difficulty is the length.
 *
 * @example
 * reverse({ lengths: [1, 8], growTo: 16, measureTo: 18 })
 */
export function reverse(options: StringTaskOptions = {}): Task {
  return stringTask("reverse", options, (text) => [...text].reverse().join(""));
}

/**
 * Writing a string again: `123=` → `123`. Difficulty is the length.
 *
 * @example
 * copy({ lengths: [1, 8], growTo: 16 })
 */
export function copy(options: StringTaskOptions = {}): Task {
  return stringTask("copy", options, (text) => text);
}
