import { z } from "zod";
import { readOptions, valueWith } from "../../foundation/base/index.ts";
import type { ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { answers, type RewardPart, scoringAnswers } from "./part.ts";
import { verifier } from "./verifier.ts";

const optionsSchema = z.strictObject({
  by: valueWith<RewardPart>("reward", "expected a reward, such as verifier()").optional(),
  /** Which turns have a reward at all: each, or the last alone, the others being void. */
  turns: z.enum(["all", "last"]).default("all"),
  /** α: how much a turn earns beside for being better than the one before it, or loses for being worse. */
  bonus: z.number().min(0).default(0),
  /** With a reward of at least so much a response is kept (1), with less it is not (0); the reward itself if left out. */
  keepFrom: z.number().optional(),
});
export type ByTurnOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Another reward, read turn by turn: r(y₂) + α·(r(y₂) − r(y₁)) for a revision of y₁ (SCoRe's shaping, arXiv 2409.12917, section 5.2), the
 * last turn alone, or 1 where it is at least so great and 0 where not. What answers no item of the task, such as a critique, has none.
 *
 * @example
 * gro({ generate: revisions(), reward: byTurn({ bonus: 10 }), update: turnGradient() });
 */
export function byTurn(options: ByTurnOptions = {}): RewardPart {
  const read = readOptions("byTurn()", optionsSchema, options);
  const { by = verifier(), turns, bonus, keepFrom } = read;
  return {
    ...by,
    name: "by turn",
    description: {
      by: by.name,
      ...Object.fromEntries(Object.entries(by.description).map(([key, value]) => [`by.${key}`, value])),
      turns,
      bonus,
      ...(keepFrom === undefined ? {} : { keepFrom }),
    },
    reward: (groups, context) =>
      scoringAnswers(groups, async (answering) => {
        const scored = await by.reward(answering, context);
        return scored.map((group) => {
          const shaped = shapedBy(group, bonus);
          const last = Math.max(0, ...shaped.rollouts.map(({ rollout }) => rollout.turn ?? 0));
          const rollouts = shaped.rollouts.map((one): ScoredRollout => {
            const { rollout, reward, parts } = one;
            // A verdict that the other reward added has a reward of its own.
            if (!answers(rollout, group)) return one;
            if (reward === null || (turns === "last" && (rollout.turn ?? 0) < last))
              return { rollout, reward: null, parts };
            const kept = keepFrom === undefined ? reward : reward >= keepFrom ? 1 : 0;
            return { rollout, reward: kept, parts };
          });
          return { item: group.item, rollouts };
        });
      }),
  };
}

/** Adds the bonus; a revision of an attempt that has no reward has none either. */
function shapedBy(group: ScoredGroup, bonus: number): ScoredGroup {
  if (bonus === 0) return group;
  const own = group.rollouts.filter(({ rollout }) => answers(rollout, group));
  const byTurnAndRole = Map.groupBy(own, ({ rollout: { turn = 0, role } }) => `${turn} ${role}`);
  const rollouts = group.rollouts.map((scored): ScoredRollout => {
    const { rollout, reward, parts } = scored;
    const { turn = 0, role, sample } = rollout;
    const before = byTurnAndRole.get(`${turn - 1} ${role}`);
    if (turn === 0 || reward === null || before === undefined || !own.includes(scored)) return scored;
    const each = (byTurnAndRole.get(`${turn} ${role}`)?.length ?? 0) / before.length;
    const earlier = before.find((other) => other.rollout.sample === Math.floor(sample / each))?.reward;
    if (earlier === undefined || earlier === null) return { rollout, reward: null, parts };
    return {
      rollout,
      reward: reward + bonus * (reward - earlier),
      parts: { ...parts, score: reward, gain: reward - earlier },
    };
  });
  return { item: group.item, rollouts };
}
