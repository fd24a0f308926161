import { z } from "zod";
import { hashOf, readOptions, userError } from "../../foundation/base/index.ts";
import { ask, checkWords, type Question, withMore, wordsOf } from "../rollout/index.ts";
import { editWords } from "./edits.prompt.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Edits for each item. */
  samples: z.number().int().min(1).default(5),
  temperature: z.number().positive().default(1),
  /** Most tokens of an edit. */
  maxTokens: z.number().int().min(1).default(128),
});
export type EditsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Training data that the model writes for itself in view of an item (self-edits: SEAL, arXiv 2506.10943, section 3). In the task's words
 * (`prompts.edit`), else in plain language; what it writes is read by the task (`readEdit`). `editEffect()` says what an edit is worth.
 *
 * @example
 * gro({ generate: edits({ samples: 5 }), reward: editEffect({ update: supervised({ steps: 4 }) }), update: supervised(), items: 16 })
 */
export function edits(options: EditsOptions = {}): GeneratePart {
  const read = readOptions("edits()", optionsSchema, options);
  const { samples, temperature, maxTokens } = read;
  return {
    name: "edits",
    description: { ...read, words: hashOf(editWords).slice(0, 12) },
    samplesPerItem: samples,
    check: (task, tokenizer) => {
      const { name, readEdit, prompts } = task;
      if (readEdit === undefined)
        throw userError(
          "no-edits",
          `edits(): the task ${name} cannot read training data that a model wrote: it has no readEdit.`,
        );
      if (prompts !== undefined && prompts.edit === undefined)
        throw userError(
          "no-words",
          `edits(): the task ${name} has words for its roles, and none for an edit.`,
        );
      checkWords({ task, by: "edits()", what: "edit" }, tokenizer);
    },
    generate: async (request) => {
      const { items, task, policy } = request;
      const questions = items.map((item): Question => {
        const words = wordsOf({ task, policy, by: "edits()", what: "edit" }, task.prompts?.edit?.(item), () =>
          withMore(item, editWords),
        );
        return { item, name: "edit", words };
      });
      const written = await ask(questions, { ...request, samples, temperature, maxTokens: () => maxTokens });
      return items.map((item, index) => ({ item, rollouts: written[index] ?? [] }));
    },
  };
}
