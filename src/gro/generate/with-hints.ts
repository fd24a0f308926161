import { z } from "zod";
import { hashOf, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type { Item, Prompting } from "../../foundation/contract/index.ts";
import { verdictOf } from "../../world/task/index.ts";
import { attempt, checkWords, withMore, wordsOf } from "../rollout/index.ts";
import { hintWords } from "./hint.prompt.ts";
import { mergeGroups } from "./merge-groups.ts";
import type { GeneratePart, GenerateRequest } from "./part.ts";
import { samples } from "./samples.ts";

const optionsSchema = z.strictObject({
  /** First attempts at each item. */
  samples: z.number().int().min(1).default(1),
  /** Attempts with the answer shown, at items whose first attempts all failed. */
  hinted: z.number().int().min(1).default(1),
  temperature: z.number().positive().default(1),
  /** What writes the first attempts, in the place of so many samples; of several turns the last must be right. */
  first: valueWith<GeneratePart>(
    "generate",
    "expected a part that can generate, such as revisions()",
  ).optional(),
});
export type WithHintsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Rationalisation (STaR, arXiv 2203.14465, section 3.3): where no attempt at an item was right by the task's verifier, the model
 * tries again with the answer in view. What it writes then is learnt as an answer to the item alone: the hint is taken away.
 *
 * The hint is in the task's words (`prompts.hint`), else in plain language, which needs a model with a chat template. Items
 * without a reference answer get none. What was hinted is no sample of the policy: it can be imitated, and no policy gradient
 * follows it.
 *
 * @example
 * star({ generate: withHints({ samples: 1, hinted: 1 }) })
 */
export function withHints(options: WithHintsOptions = {}): GeneratePart {
  const { first: given, ...read } = readOptions("withHints()", optionsSchema, options);
  if (given !== undefined && options.samples !== undefined)
    throw userError(
      "invalid-option",
      'withHints(): "first" writes the first attempts, as many as it says itself; leave "samples" out.',
    );
  const first = given ?? samples({ samples: read.samples, temperature: read.temperature });
  return {
    name: "with hints",
    description: { ...read, ...describeFirst(given), words: hashOf(hintWords("")).slice(0, 12) },
    samplesPerItem: first.samplesPerItem + read.hinted,
    offPolicy: true,
    ...(first.needs === undefined ? {} : { needs: first.needs }),
    ...(first.documents === undefined ? {} : { documents: first.documents }),
    check: (task, tokenizer) => {
      first.check?.(task, tokenizer);
      if (task.prompts !== undefined && task.prompts.hint === undefined)
        throw userError(
          "no-hint",
          `withHints(): the task ${task.name} has words for its roles, and none for a hint.`,
        );
      checkWords({ task, by: "withHints()", what: "hint" }, tokenizer);
    },
    generate: async (request) => {
      const { task, onProgress, ...rest } = request;
      const tried = await first.generate(request);
      const failed = await Promise.all(
        tried.map(async ({ item, rollouts }) => {
          if (item.answer === undefined) return false;
          const attempts = rollouts.filter((rollout) => rollout.item.canonical === item.canonical);
          const last = Math.max(0, ...attempts.map(({ turn = 0 }) => turn));
          const final = attempts.filter(({ turn = 0 }) => turn === last);
          const verdicts = await Promise.all(final.map(({ response }) => verdictOf(task, item, response)));
          // What could not be judged may have been right: it is not asked again.
          return verdicts.every((verdict) => verdict.outcome === "scored" && verdict.score < 1);
        }),
      );
      const hinted = await attempt({
        ...rest,
        items: tried.flatMap(({ item }, index) => (failed[index] ? [item] : [])),
        samples: read.hinted,
        temperature: read.temperature,
        seed: request.seed + 1,
        ask: (item) => hintOf(request, item),
      });
      const again = new Map(hinted.map((group) => [group.item, group]));
      return mergeGroups([tried, tried.map(({ item }) => again.get(item) ?? { item, rollouts: [] })]);
    },
  };
}

function describeFirst(part: GeneratePart | undefined): GeneratePart["description"] {
  if (part === undefined) return {};
  const members = Object.entries(part.description).map(([key, value]) => [`first.${key}`, value] as const);
  return { first: part.name, ...Object.fromEntries(members) };
}

function hintOf({ task, policy }: GenerateRequest, item: Item): Prompting {
  return wordsOf({ task, policy, by: "withHints()", what: "hint" }, task.prompts?.hint?.(item), () =>
    withMore(item, hintWords(item.answer ?? "")),
  );
}
