import { z } from "zod";
import { hashOf, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type { ChatModel, RolloutGroup } from "../../foundation/contract/index.ts";
import { checkWords, type ReferenceWeights, referenceWeights } from "../rollout/index.ts";
import { judgeByPoints } from "./judge/by-points.ts";
import { judgeByToken, rolesIn } from "./judge/by-token.ts";
import { metaWords, scoreWords, usualRubric } from "./judge/judge.prompt.ts";
import { type RewardContext, type RewardPart, scoringAnswers } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Who judges: any chat model; the policy in the role `judge` if left out, which is the lead where the pass has no such role. */
  model: valueWith<ChatModel>("answer", "expected a chat model, such as chatEndpoint()").optional(),
  /** What earns points, for judges that answer in words. */
  rubric: z.string().min(1).default(usualRubric),
  /** The most points. */
  most: z.number().int().min(1).default(5),
  /** Judgements of each response, whose mean counts. */
  judgements: z.number().int().min(1).default(3),
  temperature: z.number().min(0).default(0.7),
  /** Token limit of a judgement in words. */
  maxTokens: z.number().int().min(1).default(256),
  /** Teach judging too: judgements become rollouts of the judge, with rewards of their own (Meta-Rewarding). */
  learn: z.boolean().default(false),
  /** Judge with the writer's own weights as they were when the run's rounds (`base`) or the pass (`start`) began, or the champion's, in place of those that learn. */
  frozen: referenceWeights.optional(),
});
export type JudgeOptions = Readonly<z.input<typeof optionsSchema>>;

/** What judges that answer with a token of the task's do not read. */
const ofWords = ["rubric", "most", "temperature", "maxTokens"] as const;

/**
 * A model's own judgement of each response, in [0, 1] (LLM-as-a-judge by points that add up, Self-Rewarding, arXiv 2401.10020, section
 * 2.3). Where the task has words for it, the weights answer with one token and the reward is its probability; else the judge answers in
 * words, several times, and the mean of what can be read counts. A judgement that cannot be read is void: it is counted and shown, and a
 * response without any has no reward. Throws a user error `no-words` where the task has no words and the model reads no conversations.
 *
 * @example
 * gro({ generate: samples({ samples: 4 }), reward: judge({ judgements: 3 }), update: preference() });
 */
export function judge(options: JudgeOptions = {}): RewardPart {
  const read = readOptions("judge()", optionsSchema, options);
  const { model, rubric, most, judgements, temperature, maxTokens, learn, frozen } = read;
  if (model !== undefined && learn)
    throw userError(
      "invalid-option",
      `judge(): ${model.name} is not trained here, so its judging cannot be learnt; leave out "model" or "learn".`,
    );
  if (frozen !== undefined && (model !== undefined || learn))
    throw userError(
      "invalid-option",
      'judge(): "frozen" says which weights of the run judge, and they learn nothing; leave out "model" and "learn".',
    );
  return {
    name: "judge",
    description: {
      ...(model === undefined ? {} : { model: model.name }),
      most,
      judgements,
      temperature,
      maxTokens,
      learn,
      ...(frozen === undefined ? {} : { frozen }),
      words: hashOf([scoreWords("", "", rubric, most), learn ? metaWords("", "", rubric, "", "") : ""]).slice(
        0,
        12,
      ),
    },
    // A model outside the run is something outside the model that learns.
    origin: model === undefined ? "self-derived" : "external",
    peers: 1,
    answersPerRollout: judgements,
    ...(frozen === undefined ? {} : { references: [frozen] }),
    check: (task, tokenizer) => {
      if (model !== undefined) return;
      const { name, prompts } = task;
      if (prompts !== undefined && prompts.judge === undefined)
        throw userError(
          "no-words",
          `judge(): the task ${name} has words for its roles, and none for a judge; give it some, or a chat model as "model".`,
        );
      const idle = ofWords.find((option) => options[option] !== undefined);
      if (prompts !== undefined && idle !== undefined)
        throw userError(
          "invalid-option",
          `judge(): "${idle}" is of judgements in words, and the task ${name} has a judge answer with one token; leave it out, or give a chat model as "model".`,
        );
      checkWords({ task, by: "judge()", what: "judge" }, tokenizer);
    },
    reward: async (groups, given) => {
      const context = frozen === undefined ? given : await withJudge(frozen, groups, given);
      return scoringAnswers(groups, (answering) =>
        model === undefined && context.task.prompts?.judge !== undefined
          ? judgeByToken(answering, context, { learn: learn ? judgements : 0 })
          : judgeByPoints(answering, context, {
              model,
              rubric,
              most,
              judgements,
              temperature,
              maxTokens,
              learn,
            }),
      );
    },
  };
}

/** Seats the writer's earlier weights as the judge. */
async function withJudge(
  which: ReferenceWeights,
  groups: readonly RolloutGroup[],
  context: RewardContext,
): Promise<RewardContext> {
  const { models } = context;
  const [writer] = rolesIn(groups);
  if (writer === undefined) return context;
  const judge = { ...(await models.reference(writer, which)), role: "judge" };
  return {
    ...context,
    models: { ...models, policyOf: (role) => (role === "judge" ? judge : models.policyOf(role)) },
  };
}
