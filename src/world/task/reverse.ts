import type { Task } from "../../foundation/contract/index.ts";
import { type StringTaskOptions, stringTask } from "./string-task.ts";

/**
 * Writes a string backwards: `x1…xn=` → `xn…x1` (the string task of arXiv 2502.01612). Difficulty is the length;
 * canonical form is the string.
 *
 * @example
 * reverse({ lengths: [1, 8], growTo: 16, measureTo: 18 })
 */
export function reverse(options: StringTaskOptions = {}): Task {
  return stringTask(
    {
      name: "reverse",
      version: 1,
      answer: (characters) => characters.toReversed().join(""),
      known: (length, at) => Array.from({ length }, (_, index) => at(length - 1 - index)).join(""),
    },
    options,
  );
}
