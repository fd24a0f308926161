import type {
  Rollout,
  RolloutGroup,
  ScoredGroup,
  ScoredRollout,
} from "../../../foundation/contract/index.ts";
import { asked, type Question, wordsOf } from "../../rollout/index.ts";
import { type RewardContext, unreadPart } from "../part.ts";
import { rolesIn } from "./by-token.ts";
import { metaWords, scoreWords } from "./judge.prompt.ts";
import { readBetter, readScore } from "./read-verdict.ts";
import { askJudge, learnerOf, questionText, type Said, type SeatOptions } from "./seat.ts";

export interface ByPointsOptions extends SeatOptions {
  readonly rubric: string;
  readonly most: number;
  readonly judgements: number;
  readonly learn: boolean;
}

/** A judgement with the points that it gives; undefined where it could not be read. */
interface Judged extends Said {
  readonly points: number | undefined;
}

/**
 * Scores by points in words: the mean over the judgements that could be read, as a share of the most. A response of which none could be
 * read has no reward. Where judging is learnt, the judgements of each item's most disputed response are compared by the judge itself, in
 * both orders, and are rollouts whose rewards are their win rates (Meta-Rewarding, arXiv 2407.19594, section 2.3, with win rates in the
 * place of Elo scores).
 */
export async function judgeByPoints(
  groups: readonly RolloutGroup[],
  context: RewardContext,
  options: ByPointsOptions,
): Promise<ScoredGroup[]> {
  const { rubric, most, judgements, learn } = options;
  const questions = groups.flatMap(({ item, rollouts }) =>
    rollouts.map(({ response }, index): Question => {
      const words = (): Question["words"] =>
        asked(scoreWords(questionText(item), response.text, rubric, most));
      return { item, name: `judgement ${index}`, words: inPlainWords(context, options, words) };
    }),
  );
  const answers = await askJudge(questions, judgements, context, options);
  const judged = answers.map((own) =>
    own.map((said): Judged => ({ ...said, points: readScore(said.text, most) })),
  );
  let next = 0;
  const scored = groups.map(({ item, rollouts }) => ({
    item,
    rollouts: rollouts.map((rollout) => {
      const own = judged[next++] ?? [];
      const points = own.flatMap((one) => (one.points === undefined ? [] : [one.points]));
      const reward = points.length === 0 ? null : meanOf(points) / most;
      const unread = own.length - points.length;
      const parts = { judgements: points.length, ...(unread === 0 ? {} : { [unreadPart]: unread }) };
      return { scored: { rollout, reward, parts }, judged: own };
    }),
  }));
  const learnt = learn ? await judgedJudgements(scored, groups, context, options) : [];
  return scored.map(({ item, rollouts }, place) => ({
    item,
    rollouts: [...rollouts.map((one) => one.scored), ...(learnt[place] ?? [])],
  }));
}

/** A judge that is weights of the run must read conversations; a chat model does. */
function inPlainWords(
  { task, models }: RewardContext,
  { model }: SeatOptions,
  words: () => Question["words"],
): Question["words"] {
  if (model !== undefined) return words();
  return wordsOf({ task, policy: models.policyOf("judge"), by: "judge()", what: "judge" }, undefined, words);
}

interface Spread {
  readonly rollout?: Rollout;
  readonly readable: readonly Judged[];
  readonly variance: number;
}

const undisputed: Spread = { readable: [], variance: 0 };

interface Disputed {
  readonly item: RolloutGroup["item"];
  readonly rollouts: readonly {
    readonly scored: ScoredRollout;
    readonly judged: readonly Judged[];
  }[];
}

/** Of each group the judgements of the response whose points differ most, each with its win rate against the others. */
async function judgedJudgements(
  scored: readonly Disputed[],
  groups: readonly RolloutGroup[],
  context: RewardContext,
  options: ByPointsOptions,
): Promise<ScoredRollout[][]> {
  const disputed = scored.map(({ item, rollouts }) => {
    const spread = rollouts
      .map(({ scored: { rollout }, judged }): Spread => {
        const readable = judged.filter(({ points }) => points !== undefined);
        return { rollout, readable, variance: varianceOf(readable.map(({ points }) => points ?? 0)) };
      })
      .reduce((best, one) => (one.variance > best.variance ? one : best), undisputed);
    return { item, ...spread };
  });
  const matches = disputed.flatMap(({ item, rollout, readable }, place) =>
    orderedPairs(readable.length).map(([first, second]) => ({
      place,
      first,
      second,
      question: {
        item,
        name: `comparison of judgements ${first} ${second}`,
        words: asked(
          metaWords(
            questionText(item),
            rollout?.response.text ?? "",
            options.rubric,
            readable[first]?.text ?? "",
            readable[second]?.text ?? "",
          ),
        ),
      },
    })),
  );
  const verdicts = await askJudge(
    matches.map(({ question }) => question),
    1,
    { ...context, seed: context.seed + 1 },
    options,
  );
  const tables = disputed.map(({ readable }) => readable.map(() => ({ won: 0, played: 0, unread: 0 })));
  matches.forEach(({ place, first, second }, index) => {
    const better = readBetter(verdicts[index]?.[0]?.text ?? "");
    const [one, other] = [tables[place]?.[first], tables[place]?.[second]];
    if (one === undefined || other === undefined) return;
    // Counted once: with the judgement that stood first.
    if (better === undefined) {
      one.unread += 1;
      return;
    }
    one.played += 1;
    other.played += 1;
    (better ? one : other).won += 1;
  });
  const role = learnerOf(context.models.policyOf("judge"), context, rolesIn(groups));
  return disputed.map(({ readable }, place) =>
    readable.flatMap(({ rollout }, index): ScoredRollout[] => {
      const row = tables[place]?.[index];
      if (rollout === undefined || row === undefined) return [];
      const reward = row.played === 0 ? null : row.won / row.played;
      const parts = row.unread === 0 ? {} : { [unreadPart]: row.unread };
      return [{ rollout: { ...rollout, role }, reward, parts }];
    }),
  );
}

/** Every pair in both orders, so that a judge who favours a place favours nobody. */
export function orderedPairs(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, first) =>
    Array.from({ length: count }, (_, second) => [first, second] as const).filter(([a, b]) => a !== b),
  ).flat();
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function varianceOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}
