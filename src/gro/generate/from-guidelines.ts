import { z } from "zod";
import { hashOf, readOptions, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Rollout } from "../../foundation/contract/index.ts";
import { ask, checkWords, contextTokens, type Question, withMore, wordsOf } from "../rollout/index.ts";
import { adaptWords, followWords, planWords, usualGuidelines } from "./guidelines.prompt.ts";
import type { GeneratePart, GenerateRequest } from "./part.ts";

const optionsSchema = z.strictObject({
  /** General advice; each attempt at an item follows another one. */
  guidelines: z.array(z.string().min(1)).min(1).readonly().default(usualGuidelines),
  /** Attempts at each item. */
  samples: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  /** Token limit of a plan; that of the item if left out. */
  planTokens: z.number().int().min(1).optional(),
});
export type FromGuidelinesOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * From abstract to concrete (ReGenesis, arXiv 2410.02108, section 3.1): a general guideline becomes one of this item, that a plan, and
 * that an attempt, all by the same weights. What the attempt is taught as is an answer to the item alone. In the task's words
 * (`prompts.plan`, which takes the first two steps in one, and `prompts.follow`), else in plain language. Guidelines and plans are rollouts
 * of other items, which the task's verifier never judges.
 *
 * @example
 * rejectionSampling({ generate: fromGuidelines({ samples: 4 }) })
 */
export function fromGuidelines(options: FromGuidelinesOptions = {}): GeneratePart {
  const read = readOptions("fromGuidelines()", optionsSchema, options);
  const { guidelines, samples, temperature, planTokens } = read;
  return {
    name: "from guidelines",
    description: {
      samples,
      temperature,
      ...(planTokens === undefined ? {} : { planTokens }),
      guidelines: hashOf([...guidelines]).slice(0, 12),
      words: hashOf([adaptWords(""), planWords(""), followWords("")]).slice(0, 12),
    },
    samplesPerItem: 3 * samples,
    offPolicy: true,
    check: (task, tokenizer) => {
      const { name, prompts } = task;
      if (prompts !== undefined && (prompts.plan === undefined || prompts.follow === undefined))
        throw userError(
          "no-words",
          `fromGuidelines(): the task ${name} has words for its roles, and none for a plan and for following it.`,
        );
      for (const what of ["plan", "follow"] as const)
        checkWords({ task, by: "fromGuidelines()", what }, tokenizer);
    },
    generate: async (request) => {
      const { items, task, policy, maxTokens } = request;
      let turn = 0;
      /** One answer to a question of each item and attempt, item by item. */
      const answered = async (
        what: "plan" | "follow",
        named: string,
        wordsAt: (item: Item, place: number) => Prompting,
      ): Promise<Rollout[]> => {
        const questions = items.flatMap((item, index) =>
          Array.from({ length: samples }, (_, sample): Question => {
            const words = wordsAt(item, index * samples + sample);
            return { item, name: `${named} ${sample}`, words };
          }),
        );
        const answers = await ask(questions, {
          ...request,
          samples: 1,
          temperature,
          maxTokens: (item) => (what === "plan" ? (planTokens ?? maxTokens(item)) : maxTokens(item)),
          seed: request.seed + turn++,
        });
        return answers.map((own) => own[0] as Rollout);
      };
      const guidelineAt = (place: number): string => guidelines[place % guidelines.length] as string;
      const own = task.prompts?.plan;
      const adapted =
        own === undefined
          ? await answered("plan", "guideline", (item, place) =>
              inWords(request, "plan", undefined, () => withMore(item, adaptWords(guidelineAt(place)))),
            )
          : [];
      const plans = await answered("plan", "plan", (item, place) =>
        inWords(request, "plan", own?.(item, guidelineAt(place)), () =>
          withMore(item, planWords(textOf(adapted[place]))),
        ),
      );
      const paths = await answered("follow", "path", (item, place) =>
        inWords(request, "follow", task.prompts?.follow?.(item, textOf(plans[place])), () =>
          withMore(item, followWords(textOf(plans[place]))),
        ),
      );
      return items.map((item, index) => {
        const learnAfter = contextTokens(policy.tokenizer, item);
        const from = index * samples;
        const attempts = paths
          .slice(from, from + samples)
          .map((path, sample): Rollout => ({ ...path, item, sample, learnAfter }));
        const before = [adapted, plans].flatMap((made) => made.slice(from, from + samples));
        return { item, rollouts: [...attempts, ...before] };
      });
    },
  };
}

function textOf(rollout: Rollout | undefined): string {
  return rollout?.response.text ?? "";
}

function inWords(
  { task, policy }: GenerateRequest,
  what: "plan" | "follow",
  own: Prompting | undefined,
  usual: () => Prompting,
): Prompting {
  return wordsOf({ task, policy, by: "fromGuidelines()", what }, own, usual);
}
