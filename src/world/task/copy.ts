import type { Task } from "../../foundation/contract/index.ts";
import { type StringTaskOptions, stringTask } from "./string-task.ts";

/**
 * Writes a string once more: `x1…xn=` → `x1…xn`. Difficulty is the length; canonical form is the string.
 *
 * @example
 * copy({ lengths: [1, 8], alphabet: "abcdef" })
 */
export function copy(options: StringTaskOptions = {}): Task {
  return stringTask(
    {
      name: "copy",
      version: 1,
      answer: (characters) => characters.join(""),
      known: (length, at) => Array.from({ length }, (_, index) => at(index)).join(""),
    },
    options,
  );
}
