import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Item, Rollout } from "../../foundation/contract/index.ts";
import { attempt, type Continuation, continueRollouts } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z
  .strictObject({
    samples: z.number().int().min(1).default(1),
    temperature: z.number().positive().default(1),
    /** Least tokens of thinking: who ends sooner is made to go on. */
    least: z.number().int().min(0).default(0),
    /** What it is made to go on with. */
    nudge: z.string().min(1).default("\nWait,"),
    /** How often at most. */
    nudges: z.number().int().min(1).default(2),
    /** Most tokens of thinking: who is still at it is made to answer. The item's own limit if left out. */
    most: z.number().int().min(1).optional(),
    /** What the answer is asked for with. */
    closing: z.string().min(1).default("\nThe answer is "),
    /** Tokens that the answer may take then. */
    answerTokens: z.number().int().min(1).default(16),
  })
  .refine(({ least, most = Number.POSITIVE_INFINITY }) => least <= most, '"least" is more than "most"');
export type ForcedOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Budget forcing (s1, arXiv 2501.19393, section 3.1): a response that ends before `least` tokens loses its end and goes on after
 * `nudge`; one that has not ended after `most` is cut off and goes on after `closing`, with its answer. The words that were put in
 * are a part of the response. It can be imitated, and no policy gradient follows it.
 *
 * @example
 * rejectionSampling({ generate: forced({ least: 32, most: 128, closing: "\nThe answer is " }) })
 */
export function forced(options: ForcedOptions = {}): GeneratePart {
  const { most, ...read } = readOptions("forced()", optionsSchema, options);
  const { samples, temperature, least, nudge, nudges, closing, answerTokens } = read;
  return {
    name: "forced",
    description: { ...read, ...(most === undefined ? {} : { most }) },
    samplesPerItem: samples,
    offPolicy: true,
    generate: async (request) => {
      const thinking = (item: Item): number => most ?? request.maxTokens(item);
      const groups = await attempt({ ...request, samples, temperature, maxTokens: thinking });
      let rollouts = groups.flatMap((group) => group.rollouts);
      const goOn = async (
        wanted: (rollout: Rollout) => boolean,
        text: string,
        maxTokens: (rollout: Rollout) => number,
        turn: number,
      ): Promise<void> => {
        const chosen = rollouts.flatMap((rollout, index): (Continuation & { index: number })[] =>
          wanted(rollout)
            ? [{ index, rollout, text, maxTokens: maxTokens(rollout), seed: seedOf(rollout, turn) }]
            : [],
        );
        const continued = await continueRollouts(request.policy, chosen, request.signal);
        const changed = new Map(chosen.map(({ index }, place) => [index, continued[place]]));
        rollouts = rollouts.map((rollout, index) => changed.get(index) ?? rollout);
      };
      const words = request.policy.tokenizer.encode(nudge).length;
      const left = (rollout: Rollout): number => thinking(rollout.item) - saidBy(rollout) - words;
      for (let turn = 1; turn <= nudges; turn++)
        await goOn(
          (rollout) => rollout.response.complete && saidBy(rollout) < least && left(rollout) > 0,
          nudge,
          left,
          turn,
        );
      await goOn(
        ({ response }) => !response.complete,
        closing,
        () => answerTokens,
        nudges + 1,
      );
      let next = 0;
      return groups.map(({ item, rollouts: own }) => ({
        item,
        rollouts: own.map(() => rollouts[next++] as Rollout),
      }));
    },
  };
}

/** Tokens of a response, its end not counted. */
function saidBy({ segments, response }: Rollout): number {
  return (segments[1]?.tokens.length ?? 0) - (response.complete ? 1 : 0);
}

/** Each sample's own numbers, and others in each turn. */
function seedOf({ seed, sample }: Rollout, turn: number): number {
  return (seed + sample * 7919 + turn * 104_729) % 2 ** 48;
}
