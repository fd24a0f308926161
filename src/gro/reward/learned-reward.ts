import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import { checkVerdictWords, questionsOf, readVerdicts } from "../rollout/index.ts";
import { type RewardPart, scoringAnswers } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Whose weights are asked. */
  role: z.string().min(1).default("verifier"),
  /** The whole response, or every beginning of it that ends with a step. */
  of: z.enum(["outcome", "steps"]).default("outcome"),
  /** What stands between two steps. */
  separator: z.string().min(1).default("\n"),
  /** Of steps: the least of their chances, or the product of all. */
  combine: z.enum(["min", "product"]).default("min"),
});
export type LearnedRewardOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A reward that a model has learnt: asked whether a response is right, it answers with a token, and the reward is the chance of the one
 * that says so, r = p(yes) / (p(yes) + p(no)); there is no value head. `learnVerdicts()` teaches it the run's own verdicts. Of the
 * outcome as in Cobbe et al. (arXiv 2110.14168, section 4); of the process, a chance for each step and their minimum or product (arXiv
 * 2305.20050, appendix F; arXiv 2312.08935, section 3.2). A pass that uses it names the role among those that it trains or `asks`.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: learnedReward({ role: "solver", of: "steps" }), update: policyGradient() })
 */
export function learnedReward(options: LearnedRewardOptions = {}): RewardPart {
  const read = readOptions("learnedReward()", optionsSchema, options);
  const { role, of, combine } = read;
  return {
    name: "learned reward",
    description: of === "steps" ? read : { role, of },
    origin: "self-derived",
    peers: 1,
    check: (task, tokenizer) => {
      checkJudged("learnedReward()", task);
      if (tokenizer !== undefined) checkVerdictWords(task, tokenizer);
    },
    reward: (all, { task, models, signal }) =>
      scoringAnswers(all, async (groups) => {
        const policy = models.policyOf(role);
        const asked = groups.map(({ rollouts }) =>
          rollouts.map((rollout) => questionsOf(policy.tokenizer, task, rollout, read)),
        );
        const readings = await readVerdicts(policy, asked.flat(2), signal);
        let next = 0;
        return groups.map(({ item, rollouts }, group) => ({
          item,
          rollouts: rollouts.map((rollout, index) => {
            const { length } = asked[group]?.[index] ?? [];
            const own = readings.slice(next, next + length).map(({ share }) => share);
            next += length;
            const reward = combine === "min" ? Math.min(...own) : own.reduce((all, one) => all * one, 1);
            const usable = rollout.response.complete && own.every(Number.isFinite);
            // A response that was cut off is no answer, whatever its judge would say of it.
            const score = usable ? reward : rollout.response.complete ? null : 0;
            return { rollout, reward: score, parts: of === "steps" ? { steps: length } : {} };
          }),
        }));
      }),
  };
}

/** Refuses, with a user error `no-judge`, a task that has words of its own and none to judge with. */
function checkJudged(where: string, task: Task): void {
  if (task.prompts !== undefined && task.prompts.judge === undefined)
    throw userError(
      "no-judge",
      `${where}: the task ${task.name} has words for its roles, and none to judge a response with.`,
    );
}
