import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Task } from "../../foundation/contract/index.ts";
import { attempt, roleItem } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";
import { proposeMessages } from "./propose.prompt.ts";

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
    description: read,
    samplesPerItem: samples,
    check: (task) => {
      if (task.readProblem === undefined)
        throw userError(
          "no-proposals",
          `propose(): the task ${task.name} cannot read a problem that a model wrote: it has no readProblem.`,
        );
    },
    generate: async ({ items, task, ...request }) => {
      const asked = items.map((item, index) => {
        const known = Array.from(
          { length: Math.min(shown, items.length) },
          (_, more) => items[(index + more) % items.length] as Item,
        );
        return roleItem(item, "propose", proposalOf(task, known, item.difficulty));
      });
      const groups = await attempt({
        ...request,
        items: asked,
        samples,
        temperature,
        maxTokens: () => maxTokens,
      });
      return groups.map(({ rollouts }, index) => ({ item: items[index] as Item, rollouts }));
    },
  };
}

function proposalOf({ prompts }: Task, known: readonly Item[], difficulty: number): Prompting {
  return prompts?.propose?.(known, difficulty) ?? { prompt: "", messages: [...proposeMessages(known)] };
}
