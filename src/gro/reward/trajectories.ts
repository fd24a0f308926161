import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Rollout, RolloutGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { answeringIn, answers, type RewardPart, rewardLike } from "./part.ts";
import { verifier } from "./verifier.ts";

const optionsSchema = z.strictObject({
  /** What an answer is worth. */
  by: rewardLike.optional(),
});
export type TrajectoriesOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Credits what several roles said on the way to an answer with what came of it (SiriuS, arXiv 2502.04780, algorithm 1): a critique and the
 * revision after it have the reward of the trajectory's last answer, whoever said them. A first attempt has its own: a mistake that was
 * mended is not taught. For attempts of which each is revised once a turn.
 *
 * @example
 * gro({ generate: revisions({ critique: true }), reward: trajectories(), update: supervised({ learnFrom: "own" }) });
 */
export function trajectories(options: TrajectoriesOptions = {}): RewardPart {
  const { by = verifier() } = readOptions("trajectories()", optionsSchema, options);
  return {
    ...by,
    name: "trajectories",
    description: {
      by: by.name,
      ...Object.fromEntries(Object.entries(by.description).map(([key, value]) => [`by.${key}`, value])),
    },
    reward: async (groups, context) => {
      const scored = await by.reward(groups, context);
      return scored.map(({ item, rollouts }, place) => {
        const places = placesOf(groups[place] as RolloutGroup);
        const last = new Map<number, { readonly turn: number; readonly reward: number | null }>();
        for (const { rollout, reward } of rollouts) {
          const at = places.get(rollout);
          const { turn = 0 } = rollout;
          if (at === undefined || !answers(rollout, { item })) continue;
          if (turn >= (last.get(at)?.turn ?? 0)) last.set(at, { turn, reward });
        }
        return {
          item,
          rollouts: rollouts.map((one): ScoredRollout => {
            const at = places.get(one.rollout);
            const first = answers(one.rollout, { item }) && (one.rollout.turn ?? 0) === 0;
            if (at === undefined || first) return one;
            return { ...one, reward: last.get(at)?.reward ?? null };
          }),
        };
      });
    },
  };
}

/** Which attempt's trajectory a rollout is of: attempts, critiques of a turn and revisions of a turn each stand in the same order. */
function placesOf(group: RolloutGroup): ReadonlyMap<Rollout, number> {
  const { rollouts } = group;
  const answering = answeringIn(group);
  const revised = Map.groupBy(answering, ({ turn = 0 }) => turn);
  const width = revised.get(1)?.length ?? 0;
  const critiques = rollouts.filter((rollout) => !answers(rollout, group));
  const turns = [...revised.values(), critiques];
  return new Map(
    turns.flatMap((own) =>
      own.flatMap((rollout, index) =>
        // What stands beyond the attempts that were revised was written otherwise, and answers for itself.
        width === 0 || (own === revised.get(0) && index >= width) ? [] : [[rollout, index % width] as const],
      ),
    ),
  );
}
