import { z } from "zod";
import { hashOf, readOptions, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Rollout, SamplingPolicy } from "../../foundation/contract/index.ts";
import {
  afterResponse,
  ask,
  attempt,
  checkWords,
  contextTokens,
  type Question,
  wordsOf,
} from "../rollout/index.ts";
import type { GeneratePart, GenerateRequest } from "./part.ts";
import { critiqueWords, reviseByCritiqueWords, reviseWords } from "./revisions.prompt.ts";

const optionsSchema = z.strictObject({
  /** First attempts at each item. */
  samples: z.number().int().min(1).default(4),
  /** Revisions of each attempt of the turn before. */
  revisions: z.number().int().min(1).default(1),
  /** Turns in all: 2 revises once. */
  turns: z.number().int().min(2).max(8).default(2),
  /** Say first what is wrong, and revise by that; played by the role `critic`, where the pass has one. */
  critique: z.boolean().default(false),
  /** Token limit of a critique; that of the item if left out. */
  critiqueTokens: z.number().int().min(1).optional(),
  /**
   * What a revision is taught as: what is said in this conversation (`turn`), or what is answered at once, without the attempts before
   * it (`answer`: context distillation). That was no sample of an answer at once: it is imitated, and no policy gradient follows it.
   */
  learn: z.enum(["turn", "answer"]).default("turn"),
  temperature: z.number().positive().default(1),
  topP: z.number().positive().max(1).default(1),
});
export type RevisionsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Attempts, and revisions of them by the same weights, asked in the task's words or, of a chat model, in plain ones. Every attempt is a
 * rollout of its own with its `turn`; critiques are rollouts of another item, which the task's verifier never judges. Throws a user
 * error `no-words` where a task says nothing of how to ask and the model reads no conversations.
 *
 * @example
 * gro({ generate: revisions({ samples: 4, critique: true }), reward: verifier(), update: rewardWeighted() });
 */
export function revisions(options: RevisionsOptions = {}): GeneratePart {
  const read = readOptions("revisions()", optionsSchema, options);
  const { samples, revisions: each, turns, critique, learn, temperature, topP } = read;
  if (read.critiqueTokens !== undefined && !critique)
    throw userError(
      "invalid-option",
      'revisions(): "critiqueTokens" limits critiques, and none is written; add critique: true, or leave it out.',
    );
  const perTurn = Array.from({ length: turns - 1 }, (_, index) => samples * each ** (index + 1));
  const revised = perTurn.reduce((sum, count) => sum + count, 0);
  const criticised = critique ? samples + perTurn.slice(0, -1).reduce((sum, count) => sum + count, 0) : 0;
  const { critiqueTokens, ...plain } = read;
  return {
    name: "revisions",
    description: {
      ...plain,
      ...(critiqueTokens === undefined ? {} : { critiqueTokens }),
      words: hashOf([critiqueWords, reviseWords, reviseByCritiqueWords]).slice(0, 12),
    },
    samplesPerItem: samples + revised + criticised,
    ...(learn === "answer" ? { offPolicy: true } : {}),
    ...(topP < 1 ? { needs: { topP: true } } : {}),
    check: (task, tokenizer) => {
      const { name, prompts } = task;
      const missing = [
        ...(prompts?.revise === undefined ? ["a revision"] : []),
        ...(critique && prompts?.critique === undefined ? ["a critique"] : []),
      ];
      if (prompts !== undefined && missing.length > 0)
        throw userError(
          "no-words",
          `revisions(): the task ${name} has words for its roles, and none for ${missing.join(" or ")}.`,
        );
      checkWords({ task, by: "revisions()", what: "revise" }, tokenizer);
      if (critique) checkWords({ task, by: "revisions()", what: "critique" }, tokenizer);
    },
    generate: async (request) => {
      const { policy, items } = request;
      const nucleus = topP < 1 ? { topP } : {};
      const groups = await attempt({ ...request, samples, temperature, ...nucleus });
      const byItem = groups.map(({ rollouts }) => [...rollouts]);
      let latest: readonly (readonly Rollout[])[] = byItem.map((rollouts) => [...rollouts]);
      for (let turn = 1; turn < turns; turn++) {
        const said = critique ? await critiques(request, latest, turn, read) : undefined;
        const questions = latest.flatMap((own, place) =>
          own.map((rollout, index): Question => {
            const item = items[place] as Item;
            const words = revisionWords(request, item, rollout, said?.[place]?.[index]);
            return { item, name: `revision ${turn} ${index}`, words };
          }),
        );
        const answered = await ask(questions, {
          ...request,
          samples: each,
          temperature,
          ...nucleus,
          seed: request.seed + 2 * turn,
        });
        let next = 0;
        latest = latest.map((own, place) =>
          own.flatMap((_, index) =>
            (answered[next++] ?? []).map((rollout, revision): Rollout => {
              const item = items[place] as Item;
              return {
                ...rollout,
                item,
                turn,
                sample: index * each + revision,
                ...(learn === "answer" ? { learnAfter: contextTokens(policy.tokenizer, item) } : {}),
              };
            }),
          ),
        );
        for (const [place, own] of latest.entries()) byItem[place]?.push(...(said?.[place] ?? []), ...own);
      }
      return groups.map(({ item }, place) => ({ item, rollouts: byItem[place] ?? [] }));
    },
  };
}

/** A critique of each of the latest attempts, in the order in which they are. */
async function critiques(
  request: GenerateRequest,
  latest: readonly (readonly Rollout[])[],
  turn: number,
  {
    critiqueTokens,
    temperature,
  }: { readonly critiqueTokens?: number | undefined; readonly temperature: number },
): Promise<Rollout[][]> {
  const { task, items, maxTokens } = request;
  const critic = criticOf(request);
  const questions = latest.flatMap((own, place) =>
    own.map(({ response }, index): Question => {
      const item = items[place] as Item;
      const words = wordsOf(
        { task, policy: critic, by: "revisions()", what: "critique" },
        task.prompts?.critique?.(item, response),
        () => afterResponse(item, response.text, { role: "user", content: critiqueWords }),
      );
      return { item, name: `critique ${turn} ${index}`, words };
    }),
  );
  const said = await ask(questions, {
    ...request,
    policy: critic,
    samples: 1,
    temperature,
    maxTokens: (item) => critiqueTokens ?? maxTokens(item),
    seed: request.seed + 2 * turn - 1,
  });
  let next = 0;
  return latest.map((own) => own.flatMap(() => said[next++] ?? []));
}

/** Whoever plays the critic: the policy itself where the pass has no such role. */
function criticOf({ models, policy }: GenerateRequest): SamplingPolicy {
  const critic = models.policyOf("critic");
  return critic.sampler === policy.sampler ? policy : critic;
}

function revisionWords(
  { task, policy }: GenerateRequest,
  item: Item,
  { response }: Rollout,
  critique: Rollout | undefined,
): Prompting {
  return wordsOf(
    { task, policy, by: "revisions()", what: "revise" },
    task.prompts?.revise?.(item, response, critique?.response.text),
    () =>
      critique === undefined
        ? afterResponse(item, response.text, { role: "user", content: reviseWords })
        : afterResponse(
            item,
            response.text,
            { role: "user", content: critiqueWords },
            { role: "assistant", content: critique.response.text },
            { role: "user", content: reviseByCritiqueWords },
          ),
  );
}
