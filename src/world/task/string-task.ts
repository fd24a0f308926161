import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { exactCanaries } from "./canaries.ts";
import { itemOf } from "./items.ts";
import { baseSchema, canaryDifficulties, checkReach, reachShape, scaleOf, strataOf } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { exactAnswer } from "./verifiers/exact-answer.ts";

const sign = "=";

const optionsSchema = z
  .strictObject({
    /** Least and greatest length that has demonstrations. */
    lengths: baseSchema.default([1, 8]),
    ...reachShape,
    /** The characters that strings are made of. */
    alphabet: z
      .string()
      .refine((text) => text.isWellFormed(), "it holds half a character")
      .refine((text) => new Set(text).size >= 2, "it needs at least two different characters")
      .refine((text) => new Set(text).size === [...text].length, "a character stands in it twice")
      .refine((text) => !text.includes(sign), `"${sign}" ends every prompt and cannot be a character of it`)
      .default("0123456789"),
  })
  .superRefine(checkReach("lengths"));
/** `{ lengths, growTo, measureTo, alphabet }`. */
export type StringTaskOptions = Readonly<z.input<typeof optionsSchema>>;

interface StringRule {
  readonly name: string;
  readonly version: number;
  readonly answer: (characters: readonly string[]) => string;
  /** The answer to the string whose i-th of `length` characters is `at(i)`, said in another way than by `answer`. */
  readonly known: (length: number, at: (index: number) => string) => string;
}

/** A task whose prompt is `x1…xn=` and whose answer is made of the same characters. */
export function stringTask({ name, version, answer, known }: StringRule, options: StringTaskOptions): Task {
  const { lengths, alphabet, ...reach } = readOptions(`${name}()`, optionsSchema, options);
  const characters = [...alphabet];
  const scale = scaleOf("length", lengths, reach);
  const allowed = new Set(characters);
  const read = (prompt: string): string[] => {
    const string = [...prompt];
    if (string.pop() !== sign || string.length === 0 || !string.every((one) => allowed.has(one)))
      throw unreadablePrompt(name, prompt, `characters of ${JSON.stringify(alphabet)} and then "${sign}"`);
    return string;
  };
  const solve = (prompt: string): string => answer(read(prompt));
  const problemOf = (string: readonly string[]): Problem => ({
    prompt: string.join("") + sign,
    answer: answer(string),
    difficulty: string.length,
  });
  const task: Task = {
    name,
    version,
    options: {
      lengths: lengths.join("-"),
      growTo: scale.growTo,
      measureTo: scale.measureTo,
      alphabet,
    },
    difficulty: scale,
    strata: strataOf(scale, (length) => characters.length ** length),
    characters: alphabet + sign,
    verifier: exactAnswer(solve),
    generate: (length, random) => {
      const string: string[] = [];
      while (string.length < length) string.push(random.pick(characters));
      return problemOf(string);
    },
    *enumerate(length) {
      for (const string of strings(characters, length)) yield problemOf(string);
    },
    canonical: ({ prompt }) => {
      read(prompt);
      return prompt.slice(0, -sign.length);
    },
    demonstrate: ({ prompt }) => solve(prompt),
    // A tokenizer needs at most one token a byte; three more let an over-long answer show, and one ends it.
    maxTokens: ({ prompt }) => Buffer.byteLength(prompt) - sign.length + 4,
    canaries: () =>
      exactCanaries(
        canaryDifficulties(scale).flatMap((length) =>
          [0, 1].map((first) => {
            const at = knownCharacters(characters, first);
            const text = Array.from({ length }, (_, index) => at(index)).join("");
            return {
              item: itemOf(task, { prompt: text + sign, difficulty: length }),
              answer: known(length, at),
              traps: [text, [...text].reverse().join("")],
            };
          }),
        ),
        characters,
      ),
  };
  return task;
}

/** A character that stands once, at the start, and then the others in turn: never a palindrome, which would hide a copy. */
function knownCharacters(characters: readonly string[], first: number): (index: number) => string {
  const others = characters.length - 1;
  return (index) =>
    characters[(first + (index === 0 ? 0 : 1 + ((index - 1) % others))) % characters.length] ?? "";
}

function* strings(characters: readonly string[], length: number): Generator<string[]> {
  if (length === 0) yield [];
  else for (const rest of strings(characters, length - 1)) for (const one of characters) yield [...rest, one];
}
