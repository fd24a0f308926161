import { z } from "zod";
import { readOptions, valueWith } from "../../foundation/base/index.ts";
import type { Answer, Harness, Rollout } from "../../foundation/contract/index.ts";
import { contextTokens } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  harness: valueWith<Harness>("answer", "expected a harness, such as selfConsistency()"),
});
export type HarnessAnswersOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * What a harness answers, to be taught to the weights as their own first answer: the gain of votes, searches and longer prompts is
 * paid once, in training (self-distillation; the system-2 distillation of arXiv 2407.06023). Of each item the rollout is given whose
 * response the harness gave, taught after the item alone; a composed answer, which no rollout said, gives none. What a harness chose is
 * no sample of the policy: it can be imitated, and no policy gradient follows it.
 *
 * @example
 * rejectionSampling({ generate: harnessAnswers({ harness: selfConsistency({ samples: 16 }) }), reward: everything() });
 */
export function harnessAnswers(options: HarnessAnswersOptions): GeneratePart {
  const { harness } = readOptions("harnessAnswers()", optionsSchema, options);
  return {
    name: "harness answers",
    description: { harness: harness.name, ...harness.description },
    samplesPerItem: harness.samplesPerItem,
    offPolicy: true,
    ...(harness.needs === undefined ? {} : { needs: harness.needs }),
    generate: async (request) => {
      const { asks = [] } = harness;
      const asked = asks.length === 0 ? {} : { asked: asks.map((role) => request.models.policyOf(role)) };
      const answers = await harness.answer({ ...request, ...asked });
      return answers.map((answer) => ({
        item: answer.item,
        rollouts: said(answer).map((rollout) => ({
          ...rollout,
          role: request.policy.role,
          learnAfter: contextTokens(request.policy.tokenizer, answer.item),
        })),
      }));
    },
  };
}

function said({ rollouts, response: { text, complete } }: Answer): readonly Rollout[] {
  const first = rollouts.find(({ response }) => response.text === text && response.complete === complete);
  return first === undefined ? [] : [first];
}
