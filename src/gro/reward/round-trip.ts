import { z } from "zod";
import { hashOf, readOptions } from "../../foundation/base/index.ts";
import type { Item, RolloutGroup, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import {
  attempt,
  checkDocuments,
  checkWords,
  describeDocuments,
  documentFinder,
  documentOf,
  documentsOption,
  grounded,
  groundWords,
  readingDocuments,
} from "../rollout/index.ts";
import { type Proposal, proposalsIn } from "./learnability/proposals.ts";
import { modalAnswer, type RewardContext, type RewardPart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** The texts that were asked about; the documents of the task's items if left out. */
  documents: documentsOption,
  /** Who answers. */
  solver: z.string().min(1).default("solver"),
  /** Answers to each question, with its document in view. */
  attempts: z.number().int().min(2).default(4),
  temperature: z.number().positive().default(1),
  /** Least share of them that must agree: what is answered otherwise each time is not answered by the document. */
  agreement: z.number().min(0).max(1).default(0.75),
  /** Among how many documents, the nearest to the question alone, its own must be. */
  nearest: z.number().int().min(1).default(10),
});
export type RoundTripOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Whether a question about a document leads back to it (the round-trip filter of SimRAG, arXiv 2410.17952, section 3.3): reward 1 where
 * the question alone finds its document among the nearest, and answers with the document in view agree; 0 where not, and for what is no
 * question, stood there before or belongs to another split. `parts` say which (`valid`, `train`, `novel`, `found`, `agreed`). A question
 * that is kept becomes an item, `made`: the question with its document in view, and the answer that was agreed on.
 *
 * Here the document is to be found; the paper keeps a pair where any of the nearest passages holds the answer.
 *
 * @example
 * gro({ generate: askDocuments({ documents: ["12 is 3 times 4."] }), reward: roundTrip({ documents: ["12 is 3 times 4."] }), update: supervised() })
 */
export function roundTrip(options: RoundTripOptions = {}): RewardPart {
  const { documents, ...read } = readOptions("roundTrip()", optionsSchema, options);
  return {
    name: "round trip",
    description: {
      ...read,
      ...describeDocuments(documents),
      words: hashOf(groundWords("", "")).slice(0, 12),
    },
    origin: "self-derived",
    peers: 1,
    answersPerRollout: read.attempts,
    ...readingDocuments(documents),
    check: (task, tokenizer) => {
      checkDocuments("roundTrip()", task, documents);
      checkWords({ task, by: "roundTrip()", what: "ground" }, tokenizer);
    },
    reward: async (groups, context) => {
      const { task } = context;
      const proposals = await proposalsIn(groups, task);
      const given = groups.map(({ item }) => documentOf(task, item, documents).text);
      const all = [...new Set(documents?.map(({ text }) => text) ?? given)];
      const find = documentFinder(all);
      const asked = groups
        .flatMap((group, place) => group.rollouts.map(() => given[place] ?? ""))
        .map((document, index): Asked => {
          const proposal = proposals[index] as Proposal;
          const { item } = proposal;
          const found =
            item === undefined ? [] : find(item.prompt, read.nearest).map(({ index: place }) => all[place]);
          return { ...proposal, document, found: found.includes(document) };
        });
      const answers = await answersTo(asked, read, context);
      let next = 0;
      return groups.map(
        ({ item, rollouts }): ScoredGroup => ({
          item,
          rollouts: rollouts.map((rollout) => {
            const one = asked[next++] as Asked;
            return scoredBy(one, answers.get(one), rollout, read.agreement);
          }),
        }),
      );
    },
  };
}

/** A question, the document that it was asked about, and whether it leads back there. */
interface Asked extends Proposal {
  readonly document: string;
  readonly found: boolean;
}

/** What a question was answered with its document in view. */
interface Answered {
  /** The question as it was put. */
  readonly item: Item;
  readonly vote: ReturnType<typeof modalAnswer>;
}

async function answersTo(
  asked: readonly Asked[],
  { solver, attempts, temperature }: z.output<typeof optionsSchema>,
  { models, task, seed, signal }: RewardContext,
): Promise<ReadonlyMap<Asked, Answered>> {
  const policy = models.policyOf(solver);
  const put = asked.flatMap((one) => {
    const { item, found, document } = one;
    if (item === undefined || !found) return [];
    const { messages: _, ...rest } = item;
    return [{ one, item: { ...rest, ...grounded(item, document, { task, policy, by: "roundTrip()" }) } }];
  });
  const groups: RolloutGroup[] = await attempt({
    policy,
    items: put.map(({ item }) => item),
    samples: attempts,
    temperature,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
  });
  return new Map(
    put.map(({ one, item }, index) => [
      one,
      { item, vote: modalAnswer(groups[index]?.rollouts ?? [], task) },
    ]),
  );
}

function scoredBy(
  { item, parts, found }: Asked,
  answered: Answered | undefined,
  rollout: ScoredRollout["rollout"],
  least: number,
): ScoredRollout {
  if (item === undefined) return { rollout, reward: 0, parts };
  if (answered === undefined) return { rollout, reward: 0, parts: { ...parts, found: found ? 1 : 0 } };
  const agreed = answered.vote?.share ?? 0;
  const told = { ...parts, found: 1, agreed };
  if (answered.vote === undefined || agreed < least) return { rollout, reward: 0, parts: told };
  return { rollout, reward: 1, parts: told, made: { ...answered.item, answer: answered.vote.text } };
}
