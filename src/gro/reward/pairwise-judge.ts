import { z } from "zod";
import { hashOf, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type { ChatModel } from "../../foundation/contract/index.ts";
import { asked, wordsOf } from "../rollout/index.ts";
import { orderedPairs } from "./judge/by-points.ts";
import { pairWords, usualRubric } from "./judge/judge.prompt.ts";
import { readBetter } from "./judge/read-verdict.ts";
import { askJudge, questionText } from "./judge/seat.ts";
import { type RewardPart, scoringAnswers, unreadPart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Who judges: any chat model; the policy in the role `judge` if left out. */
  model: valueWith<ChatModel>("answer", "expected a chat model, such as chatEndpoint()").optional(),
  rubric: z.string().min(1).default(usualRubric),
  temperature: z.number().min(0).default(0),
  maxTokens: z.number().int().min(1).default(256),
});
export type PairwiseJudgeOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The chance that a response beats another one of its group, in a judge's eyes: every two are compared in both orders, and a judge who
 * prefers a place and not an answer has said ½. A comparison that cannot be read counts for neither and is counted and shown; who was
 * never compared has no reward. What SPPO learns from (arXiv 2405.00675, section 4).
 *
 * @example
 * gro({ generate: samples({ samples: 5 }), reward: pairwiseJudge(), update: preference({ loss: { name: "sppo" } }) });
 */
export function pairwiseJudge(options: PairwiseJudgeOptions = {}): RewardPart {
  const read = readOptions("pairwiseJudge()", optionsSchema, options);
  const { model, rubric, temperature, maxTokens } = read;
  return {
    name: "pairwise judge",
    description: {
      ...(model === undefined ? {} : { model: model.name }),
      temperature,
      maxTokens,
      words: hashOf(pairWords("", "", "", rubric)).slice(0, 12),
    },
    origin: model === undefined ? "self-derived" : "external",
    peers: 1,
    // Each with every other one in both orders: n·(n − 1) comparisons of n responses.
    answersPerRollout: (rolloutsPerItem) => rolloutsPerItem - 1,
    check: (_, tokenizer) => {
      if (model !== undefined || tokenizer === undefined || tokenizer.chat !== undefined) return;
      throw userError(
        "no-words",
        `pairwiseJudge(): it compares in plain words, whatever the task says, and the model's tokenizer (${tokenizer.name}) has no chat template: use an instruction-tuned model, or give it a chat model to ask (\`model\`).`,
      );
    },
    reward: (all, context) =>
      scoringAnswers(all, async (groups) => {
        const matches = groups.flatMap(({ item, rollouts }, place) =>
          orderedPairs(rollouts.length).map(([first, second]) => {
            const words = () =>
              asked(
                pairWords(
                  questionText(item),
                  rollouts[first]?.response.text ?? "",
                  rollouts[second]?.response.text ?? "",
                  rubric,
                ),
              );
            return {
              place,
              first,
              second,
              question: {
                item,
                name: `comparison ${first} ${second}`,
                words:
                  model === undefined
                    ? wordsOf(
                        {
                          task: context.task,
                          policy: context.models.policyOf("judge"),
                          by: "pairwiseJudge()",
                          what: "judge",
                        },
                        undefined,
                        words,
                      )
                    : words(),
              },
            };
          }),
        );
        const answers = await askJudge(
          matches.map(({ question }) => question),
          1,
          context,
          { model, temperature, maxTokens },
        );
        const tables = groups.map(({ rollouts }) => rollouts.map(() => ({ won: 0, played: 0, unread: 0 })));
        matches.forEach(({ place, first, second }, index) => {
          const better = readBetter(answers[index]?.[0]?.text ?? "");
          const [one, other] = [tables[place]?.[first], tables[place]?.[second]];
          if (one === undefined || other === undefined) return;
          if (better === undefined) {
            one.unread += 1;
            return;
          }
          one.played += 1;
          other.played += 1;
          (better ? one : other).won += 1;
        });
        return groups.map(({ item, rollouts }, place) => ({
          item,
          rollouts: rollouts.map((rollout, index) => {
            const { won = 0, played = 0, unread = 0 } = tables[place]?.[index] ?? {};
            return {
              rollout,
              reward: played === 0 ? null : won / played,
              parts: unread === 0 ? {} : { [unreadPart]: unread },
            };
          }),
        }));
      }),
  };
}
