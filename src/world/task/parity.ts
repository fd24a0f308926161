import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Canary, Task } from "../../foundation/contract/index.ts";
import { itemOf } from "./items.ts";
import { strataOf } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { right, wrong } from "./verifiers/verdicts.ts";

const name = "parity";

const optionsSchema = z.strictObject({
  /** Bits of every prompt. */
  bits: z.number().int().min(2).max(64).default(16),
  /** Share of demonstrations that write all running parities: 1 with steps, 0 without. */
  writtenOut: z.number().min(0).max(1).default(0.15),
});
/** `{ bits, writtenOut }`. */
export type ParityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Says whether the number of ones is odd (after arXiv 2510.11495). The prompt is the bits; a demonstration is, with
 * probability `writtenOut`, every running parity, else the last parity alone. A response is right when it is complete, of
 * zeros and ones only, and ends with the parity: how it got there is its own affair. One difficulty; canonical form is
 * the prompt.
 *
 * @example
 * parity({ bits: 16, writtenOut: 0.15 })
 */
export function parity(options: ParityOptions = {}): Task {
  const { bits, writtenOut } = readOptions("parity()", optionsSchema, options);
  const read = (prompt: string): string => {
    if (prompt.length === bits && /^[01]+$/.test(prompt)) return prompt;
    throw unreadablePrompt(name, prompt, `${bits} zeros and ones`);
  };
  const running = (prompt: string): string => {
    let [state, steps] = [0, ""];
    for (const bit of read(prompt)) {
      state ^= Number(bit);
      steps += state;
    }
    return steps;
  };
  const last = (prompt: string): string => running(prompt).slice(-1);
  const scale = { unit: "bits", base: [bits, bits], growTo: bits, measureTo: bits } as const;
  const task: Task = {
    name,
    version: 1,
    options: { bits, writtenOut },
    difficulty: scale,
    strata: strataOf(scale, () => 2 ** bits),
    characters: "01",
    verifier: {
      name: "last parity",
      version: 1,
      verify: ({ prompt }, { text, complete }) =>
        complete && /^[01]+$/.test(text) && text.endsWith(last(prompt)) ? right : wrong,
    },
    generate: (difficulty, random) => {
      let prompt = "";
      while (prompt.length < difficulty) prompt += random.integer(0, 1);
      return { prompt, answer: last(prompt), difficulty };
    },
    *enumerate(difficulty) {
      for (let value = 0; value < 2 ** difficulty; value++) {
        const prompt = value.toString(2).padStart(difficulty, "0");
        yield { prompt, answer: last(prompt), difficulty };
      }
    },
    canonical: ({ prompt }) => read(prompt),
    demonstrate: ({ prompt }, random) => (random.uniform() < writtenOut ? running(prompt) : last(prompt)),
    maxTokens: () => bits + 4,
    canaries: () =>
      knownParities(bits).flatMap(({ prompt, steps, answer }): Canary[] => {
        const item = itemOf(task, { prompt, difficulty: bits });
        const other = answer === "1" ? "0" : "1";
        const accept = [answer, steps, other + answer];
        const refuse = ["", other, steps + other, answer + other, `${answer}\n`, ` ${answer}`, `x${answer}`];
        return [
          ...accept.map((text) => ({ item, response: { text, complete: true }, right: true })),
          ...refuse.map((text) => ({ item, response: { text, complete: true }, right: false })),
          ...accept.map((text) => ({ item, response: { text, complete: false }, right: false })),
        ];
      }),
  };
  return task;
}

/** Prompts whose parities are plain to see. */
function knownParities(bits: number): { prompt: string; steps: string; answer: string }[] {
  const [zeros, ones] = ["0".repeat(bits - 1), "1".repeat(bits - 1)];
  return [
    { prompt: `${zeros}0`, steps: `${zeros}0`, answer: "0" },
    { prompt: `${zeros}1`, steps: `${zeros}1`, answer: "1" },
    { prompt: `1${zeros}`, steps: `1${ones}`, answer: "1" },
    { prompt: `1${zeros.slice(1)}1`, steps: `${ones}0`, answer: "0" },
  ];
}
