import { z } from "zod";
import { hashOf, readOptions, userError } from "../../foundation/base/index.ts";
import type { Item } from "../../foundation/contract/index.ts";
import { ask, asked, checkWords, type Question, wordsOf } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";
import { proposeWords } from "./propose.prompt.ts";

const optionsSchema = z.strictObject({
  /** Proposals at each item of the round, which stands first among the examples. */
  samples: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  /** Items that are shown as examples. */
  shown: z.number().int().min(1).default(3),
  /** Most tokens of a proposal. */
  maxTokens: z.number().int().min(1).default(128),
});
export type ProposeOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A proposer writes new problems, each in view of a few that are known. In the task's words (`prompts.propose`), else in plain
 * language; what it writes is read by the task (`readProblem`), which a task of proposers must have.
 *
 * @example
 * gro({ generate: propose({ samples: 8 }), reward: learnability(), update: policyGradient() })
 */
export function propose(options: ProposeOptions = {}): GeneratePart {
  const read = readOptions("propose()", optionsSchema, options);
  const { samples, temperature, shown, maxTokens } = read;
  return {
    name: "propose",
    description: { ...read, words: hashOf(proposeWords([""])).slice(0, 12) },
    samplesPerItem: samples,
    check: (task, tokenizer) => {
      if (task.readProblem === undefined)
        throw userError(
          "no-proposals",
          `propose(): the task ${task.name} cannot read a problem that a model wrote: it has no readProblem. Give a task that has one, such as programs() with a chat model.`,
        );
      checkWords({ task, by: "propose()", what: "propose" }, tokenizer);
    },
    generate: async (request) => {
      const { items, task, policy } = request;
      const questions = items.map((item, index): Question => {
        const known = Array.from(
          { length: Math.min(shown, items.length) },
          (_, more) => items[(index + more) % items.length] as Item,
        );
        const words = wordsOf(
          { task, policy, by: "propose()", what: "propose" },
          task.prompts?.propose?.(known, item.difficulty),
          () => asked(proposeWords(known.map(({ prompt }) => prompt))),
        );
        return { item, name: "propose", words };
      });
      const answers = await ask(questions, { ...request, samples, temperature, maxTokens: () => maxTokens });
      return items.map((item, index) => ({ item, rollouts: answers[index] ?? [] }));
    },
  };
}
