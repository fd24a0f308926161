import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { checkVerdictWords, questionsOf, readVerdicts } from "../rollout/index.ts";
import { type RewardPart, rewardLike } from "./part.ts";

const optionsSchema = z.strictObject({
  of: rewardLike,
  /** Whose weights say what is to be expected. */
  role: z.string().min(1).default("critic"),
});
export type WithBaselineOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The same reward, and beside it, in `parts.baseline`, what was to be expected of it: V(x) = p(yes | x) / (p(yes | x) + p(no | x)), the
 * chance that a critic, shown the item alone, gives to its being solved. It depends on no response, so that a policy gradient with
 * `advantages: "learned"` stays unbiased: A = r − V(x), for rewards in [0, 1]. `learnVerdicts({ of: "item" })` teaches the critic. Throws a
 * user error `no-verdict` where the two verdicts begin with one token.
 *
 * @example
 * gro({
 *   generate: samples({ samples: 8 }),
 *   reward: withBaseline({ of: verifier(), role: "solver" }),
 *   update: policyGradient({ advantages: "learned" }),
 * });
 */
export function withBaseline(options: WithBaselineOptions): RewardPart {
  const { of: reward, role } = readOptions("withBaseline()", optionsSchema, options);
  return {
    ...reward,
    description: { ...reward.description, baseline: role },
    check: (task, tokenizer) => {
      reward.check?.(task, tokenizer);
      if (tokenizer !== undefined) checkVerdictWords(task, tokenizer);
    },
    reward: async (groups, context) => {
      const { task, models, signal } = context;
      const policy = models.policyOf(role);
      const nothing = { text: "", complete: true };
      const questions = groups.flatMap(({ item }) =>
        questionsOf(policy.tokenizer, task, { item, response: nothing }, { of: "item", separator: "" }),
      );
      const [scored, expected] = await Promise.all([
        reward.reward(groups, context),
        readVerdicts(policy, questions, signal),
      ]);
      return scored.map((group, at) => ({
        ...group,
        rollouts: group.rollouts.map((one) => ({
          ...one,
          parts: { ...one.parts, baseline: expected[at]?.share ?? Number.NaN },
        })),
      }));
    },
  };
}
