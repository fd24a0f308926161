import { z } from "zod";
import { itemSchema, type ScoredGroup, type ScoredRollout } from "../../foundation/contract/index.ts";

const storedRolloutSchema = z.object({
  role: z.string(),
  weightVersion: z.string(),
  context: z.array(z.number().int()),
  tokens: z.array(z.number().int()),
  logprobs: z.array(z.number()),
  text: z.string(),
  complete: z.boolean(),
  temperature: z.number(),
  seed: z.number(),
  sample: z.number(),
  learnAfter: z.array(z.number().int()).optional(),
  turn: z.number().int().optional(),
  found: z.array(z.string()).optional(),
  stored: z
    .object({ group: z.number().int(), rollout: z.number().int(), artifact: z.string().nullable() })
    .optional(),
  /** Of what it answers, where that is not the group's item: a critique, a verdict. */
  item: itemSchema.optional(),
  reward: z.number().nullable(),
  parts: z.record(z.string(), z.number()),
  made: itemSchema.optional(),
});

const storedGroupSchema = z.object({ item: itemSchema, rollouts: z.array(storedRolloutSchema) });
/** One line of a rollout artifact. */
export type StoredGroup = z.infer<typeof storedGroupSchema>;

/** Scored rollouts as rows of an artifact; logprobs keep the 32 bits that they have. */
export function storeGroup(group: ScoredGroup): StoredGroup {
  return {
    item: group.item,
    rollouts: group.rollouts.map(({ rollout, reward, parts, made }) => {
      const [context, sampled] = rollout.segments;
      return {
        role: rollout.role,
        weightVersion: rollout.weightVersion,
        context: [...(context?.tokens ?? [])],
        tokens: [...(sampled?.tokens ?? [])],
        logprobs: sampled?.kind === "sampled" ? [...sampled.logprobs] : [],
        text: rollout.response.text,
        complete: rollout.response.complete,
        temperature: rollout.temperature,
        seed: rollout.seed,
        sample: rollout.sample,
        ...(rollout.learnAfter === undefined ? {} : { learnAfter: [...rollout.learnAfter] }),
        ...(rollout.turn === undefined ? {} : { turn: rollout.turn }),
        ...(rollout.found === undefined ? {} : { found: [...rollout.found] }),
        ...(rollout.stored === undefined ? {} : { stored: { ...rollout.stored } }),
        ...(rollout.item.canonical === group.item.canonical ? {} : { item: rollout.item }),
        reward,
        parts: { ...parts },
        ...(made === undefined ? {} : { made }),
      };
    }),
  };
}

export function restoreGroup(row: unknown): ScoredGroup {
  const { item, rollouts } = storedGroupSchema.parse(row);
  return {
    item,
    rollouts: rollouts.map(
      (stored): ScoredRollout => ({
        rollout: {
          item: stored.item ?? item,
          role: stored.role,
          weightVersion: stored.weightVersion,
          segments: [
            { kind: "context", tokens: Int32Array.from(stored.context) },
            {
              kind: "sampled",
              tokens: Int32Array.from(stored.tokens),
              logprobs: Float32Array.from(stored.logprobs),
            },
          ],
          response: { text: stored.text, complete: stored.complete },
          temperature: stored.temperature,
          seed: stored.seed,
          sample: stored.sample,
          ...(stored.learnAfter === undefined ? {} : { learnAfter: Int32Array.from(stored.learnAfter) }),
          ...(stored.turn === undefined ? {} : { turn: stored.turn }),
          ...(stored.found === undefined ? {} : { found: stored.found }),
          ...(stored.stored === undefined ? {} : { stored: stored.stored }),
        },
        reward: stored.reward,
        parts: stored.parts,
        ...(stored.made === undefined ? {} : { made: stored.made }),
      }),
    ),
  };
}
