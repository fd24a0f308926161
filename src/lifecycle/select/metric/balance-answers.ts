import { type NoOptions, refuseOptions, userError } from "../../../foundation/base/index.ts";
import type { Selected, Selector } from "../../../foundation/contract/index.ts";

/**
 * Keeps as many items of each reference answer as the rarest answer has, and puts the answers in turn, so that consecutive
 * items, such as those of one optimiser step, hold equally many of each. For tasks of few answers. A policy gradient moves
 * what a model says before it has worked anything out towards the answer that most items of a step happen to have; where
 * answers are equally frequent in the task, balancing takes this from the gradient's variance and leaves its mean as it is
 * (stratified sampling with proportional allocation). Throws a user error `no-answers` for an item without one.
 *
 * @example
 * defineRun({ task: parity(), optimize: grpo(), select: [deduplicate(), balanceAnswers()] });
 */
export function balanceAnswers(options: NoOptions = {}): Selector {
  refuseOptions("balanceAnswers()", options);
  return {
    name: "balance answers",
    description: {},
    select: async (members) => {
      const byAnswer = [...Map.groupBy(members, answerOf).values()];
      const each = Math.min(...byAnswer.map(({ length }) => length));
      const turns = Array.from({ length: byAnswer.length === 0 ? 0 : each }, (_, turn) => turn);
      return turns.flatMap((turn) =>
        byAnswer.map((own) => ({ ...(own[turn] as Selected), reason: `${each} of each answer` })),
      );
    },
  };
}

function answerOf({ item: { answer, prompt } }: Selected): string {
  if (answer !== undefined) return answer;
  throw userError(
    "no-answers",
    `balanceAnswers() needs items with a reference answer, and "${prompt}" has none: take it out of "select".`,
  );
}
