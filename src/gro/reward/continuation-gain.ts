import { type NoOptions, randomStream, refuseOptions, userError } from "../../foundation/base/index.ts";
import type { RolloutGroup, ScoredGroup, Task } from "../../foundation/contract/index.ts";
import { type Thought, thoughtOf } from "../rollout/index.ts";
import { answers, type RewardContext, type RewardPart } from "./part.ts";

/** Sequences that travel to the engine in one call. */
const sequencesPerCall = 512;

/**
 * How much likelier a response's thought makes the true answer than the other thoughts at the item do (Quiet-STaR, arXiv 2403.09629,
 * section 4.4), in nats, by the weights that thought it:
 *
 *   r_j = log p(y | x, t_j) − (1/n) Σ_i log p(y | x, t_i)
 *
 * t is what stands before the answer, y the item's own answer; `parts.likelihood` is log p(y | x, t). No verifier is asked: the item needs
 * a reference answer, and a task that never has one is refused (`no-answers`). What holds no thought, or no answer, has no reward.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: continuationGain(), update: thoughtGradient() })
 */
export function continuationGain(options: NoOptions = {}): RewardPart {
  refuseOptions("continuationGain()", options);
  return {
    name: "continuation gain",
    description: {},
    origin: "external",
    peers: 1,
    answersPerRollout: 1,
    check: (task) => {
      if (!namesAnswers(task))
        throw userError(
          "no-answers",
          `continuationGain(): a thought is worth how likely it makes the true answer, and the items of the task ${task.name} name none: give a task whose problems have an "answer", or take a reward that asks the verifier, such as verifier().`,
        );
    },
    reward: async (groups, context) => {
      const likelihoods = await likelihoodsOf(groups, context);
      return groups.map(({ item, rollouts }, at): ScoredGroup => {
        const own = likelihoods[at] ?? [];
        const told = own.filter((one) => one !== null);
        const mean = told.reduce((sum, one) => sum + one, 0) / Math.max(1, told.length);
        return {
          item,
          rollouts: rollouts.map((rollout, index) => {
            const likelihood = own[index] ?? null;
            return likelihood === null
              ? { rollout, reward: null, parts: {} }
              : { rollout, reward: likelihood - mean, parts: { likelihood } };
          }),
        };
      });
    },
  };
}

/** Whether a problem of any of the task's strata says its answer. */
function namesAnswers(task: Task): boolean {
  const random = randomStream(0, "continuation gain");
  return task.strata.some(({ difficulty }) => task.generate(difficulty, random).answer !== undefined);
}

/** log p(y | x, t) of each rollout; null where it has no thought. */
async function likelihoodsOf(
  groups: readonly RolloutGroup[],
  { task, models, signal }: RewardContext,
): Promise<(number | null)[][]> {
  const told = groups.map(({ rollouts }): (number | null)[] => rollouts.map(() => null));
  const found = groups.flatMap((group, at) =>
    group.rollouts.flatMap((rollout, index) => {
      if (!answers(rollout, group)) return [];
      const thought = thoughtOf(models.policyOf(rollout.role).tokenizer, task, rollout);
      return thought === undefined ? [] : [{ at, index, role: rollout.role, thought }];
    }),
  );
  for (const [role, own] of Map.groupBy(found, (one) => one.role))
    for (let start = 0; start < own.length; start += sequencesPerCall) {
      const part = own.slice(start, start + sequencesPerCall);
      const logprobs = await models.policyOf(role).sampler.logprobs(
        part.map(({ thought }) => wholeOf(thought)),
        signal ? { signal } : {},
      );
      for (const [place, { at, index, thought }] of part.entries()) {
        const last = logprobs[place]?.subarray(-thought.continuation.length) ?? new Float32Array();
        const row = told[at];
        if (row !== undefined) row[index] = last.reduce((sum, logprob) => sum + logprob, 0);
      }
    }
  return told;
}

function wholeOf({ context, thought, continuation }: Thought): Int32Array {
  return Int32Array.from([...context, ...thought, ...continuation]);
}
