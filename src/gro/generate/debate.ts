import { z } from "zod";
import { hashOf, readOptions, userError } from "../../foundation/base/index.ts";
import type {
  Item,
  Prompting,
  Response,
  Rollout,
  RolloutGroup,
  SamplingPolicy,
} from "../../foundation/contract/index.ts";
import { attempt, checkWords, withMore, wordsOf } from "../rollout/index.ts";
import { debateWords } from "./debate.prompt.ts";
import type { GeneratePart, GenerateRequest } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Who debates, by role; a role that stands twice speaks with two voices. */
  agents: z.array(z.string().min(1)).min(2).readonly().default(["solver", "solver", "solver"]),
  /** Times that each revises its response in view of the others'. */
  rounds: z.number().int().min(1).default(1),
  temperature: z.number().positive().default(1),
});
export type DebateOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Multi-agent debate (arXiv 2305.14325, section 2): agents respond apart, and then, round by round, each responds anew in view of
 * what all others said last. In the task's words (`prompts.debate`), else in plain language. Rollouts carry their `turn`: 0 is the
 * response that nobody influenced, the greatest the last word.
 *
 * One role writes for all: a pass has `writers` of one, and the others are its roles or asked by it.
 *
 * @example
 * gro({ generate: debate({ agents: ["solver", "solver", "solver"], rounds: 2 }), reward: majority(), update: supervised() })
 */
export function debate(options: DebateOptions = {}): GeneratePart {
  const read = readOptions("debate()", optionsSchema, options);
  const { agents, rounds, temperature } = read;
  return {
    name: "debate",
    description: {
      agents: agents.join(", "),
      rounds,
      temperature,
      words: hashOf(debateWords([""])).slice(0, 12),
    },
    samplesPerItem: agents.length * (rounds + 1),
    check: (task, tokenizer) => {
      if (task.prompts !== undefined && task.prompts.debate === undefined)
        throw userError(
          "no-debate",
          `debate(): the task ${task.name} has words for its roles, and none for a debate.`,
        );
      checkWords({ task, by: "debate()", what: "debate" }, tokenizer);
    },
    generate: async ({ items, task, models, onProgress, ...request }) => {
      const policyOf = (agent: number): SamplingPolicy => models.policyOf(agents[agent] ?? "");
      // However much is said to it, an item is answered within its own limit.
      const about = new Map<Item, Item>();
      const speak = (agent: number, turn: number, asked: readonly Item[]): Promise<RolloutGroup[]> =>
        attempt({
          ...request,
          policy: policyOf(agent),
          items: asked,
          maxTokens: (item) => request.maxTokens(about.get(item) ?? item),
          samples: 1,
          temperature,
          seed: request.seed + agent + turn * agents.length,
        });
      let last = await Promise.all(agents.map((_, agent) => speak(agent, 0, items)));
      const turns = [last];
      for (let turn = 1; turn <= rounds; turn++) {
        const before = last;
        last = await Promise.all(
          agents.map((_, agent) =>
            speak(
              agent,
              turn,
              items.map((item, index) => {
                const policy = policyOf(agent);
                const others = before.flatMap((said, other) =>
                  other === agent ? [] : responsesAt(said, index),
                );
                const { messages: _, ...rest } = item;
                // Still this item: its response is judged, voted on and learnt as any other.
                const again = { ...rest, ...askedAgain({ task, policy }, item, others) };
                about.set(again, item);
                return again;
              }),
            ),
          ),
        );
        turns.push(last);
        onProgress?.(Math.floor((turn * items.length) / rounds));
      }
      return items.map((item, index) => ({
        item,
        rollouts: turns.flatMap((spoken, turn) =>
          spoken.flatMap((said, agent) =>
            (said[index]?.rollouts ?? []).map(
              (rollout): Rollout => ({
                ...rollout,
                item,
                sample: turn * agents.length + agent,
                ...(turn === 0 ? {} : { turn }),
              }),
            ),
          ),
        ),
      }));
    },
  };
}

function responsesAt(said: readonly RolloutGroup[], index: number): Response[] {
  return (said[index]?.rollouts ?? []).map(({ response }) => response);
}

function askedAgain(
  { task, policy }: Pick<GenerateRequest, "task" | "policy">,
  item: Item,
  others: readonly Response[],
): Prompting {
  return wordsOf({ task, policy, by: "debate()", what: "debate" }, task.prompts?.debate?.(item, others), () =>
    withMore(item, debateWords(others.map(({ text }) => text))),
  );
}
