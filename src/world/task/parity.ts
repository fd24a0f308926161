import { z } from "zod";
import { type RandomStream, readOptions } from "../../foundation/base/index.ts";
import type { Problem, Task } from "../../foundation/contract/index.ts";
import { itemOf } from "./items.ts";
import { strataOf } from "./strata.ts";

const optionsSchema = z.strictObject({
  bits: z.number().int().min(2).max(40).default(16),
  /** Share of demonstrations that write every running parity out before the last one; 0 and 1 are possible. */
  writtenOut: z.number().min(0).max(1).default(0.15),
});
export type ParityOptions = Readonly<z.input<typeof optionsSchema>>;

function runningParities(bits: string): string {
  let parity = 0;
  return Array.from(bits, (bit) => {
    parity ^= bit === "1" ? 1 : 0;
    return String(parity);
  }).join("");
}

/** True when a response to a parity item writes all running parities out. */
export function writesStepsOut(item: { readonly difficulty: number }, text: string): boolean {
  return text.length === item.difficulty;
}

/**
 * The parity of a row of bits (arXiv 2510.11495): right when the last character is the parity, whatever was written before.
 * Demonstrations write the running parities out with probability `writtenOut`, else the last parity alone.
 *
 * @example
 * parity({ bits: 16, writtenOut: 0.15 })
 */
export function parity(options: ParityOptions = {}): Task {
  const { bits, writtenOut } = readOptions("parity()", optionsSchema, options);
  const difficulty = { unit: "bits", base: [bits, bits] as const, growTo: bits, measureTo: bits };
  const problem = (text: string): Problem => ({
    prompt: `${text}=`,
    answer: runningParities(text).slice(-1),
    difficulty: text.length,
  });
  const task: Task = {
    name: "parity",
    version: 1,
    options: { bits, writtenOut },
    difficulty,
    strata: strataOf(difficulty, (size) => 2 ** size),
    characters: "01=",
    verifier: {
      name: "last bit is the parity",
      version: 1,
      verify: (item, { text, complete }) => ({
        outcome: "scored",
        score: complete && /^[01]+$/.test(text) && text.slice(-1) === item.answer ? 1 : 0,
      }),
    },
    generate: (size: number, random: RandomStream) =>
      problem(Array.from({ length: size }, () => random.integer(0, 1)).join("")),
    *enumerate(size) {
      for (let index = 0; index < 2 ** size; index++) yield problem(index.toString(2).padStart(size, "0"));
    },
    canonical: ({ prompt }) => prompt,
    demonstrate: (item, random) => {
      const steps = runningParities(item.prompt.slice(0, -1));
      return random.uniform() < writtenOut ? steps : steps.slice(-1);
    },
    maxTokens: (item) => item.difficulty + 4,
    canaries: () => {
      const item = itemOf(task, problem("01".repeat(bits).slice(0, bits)));
      const right = item.answer ?? "";
      const wrong = right === "1" ? "0" : "1";
      const steps = runningParities(item.prompt.slice(0, -1));
      const answers: [string, boolean, boolean][] = [
        [right, true, true],
        [steps, true, true],
        [right, false, false],
        ["", true, false],
        [wrong, true, false],
        [`${steps}${wrong}`, true, false],
        [`${right}=`, true, false],
      ];
      return answers.map(([text, complete, isRight]) => ({
        item,
        response: { text, complete },
        right: isRight,
      }));
    },
  };
  return task;
}
