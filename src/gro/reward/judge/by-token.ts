import type { RolloutGroup, ScoredGroup, ScoredRollout } from "../../../foundation/contract/index.ts";
import {
  ask,
  type Question,
  questionsOf,
  readVerdicts,
  type VerdictQuestion,
  type VerdictReading,
} from "../../rollout/index.ts";
import { type RewardContext, unreadPart } from "../part.ts";
import { learnerOf } from "./seat.ts";

/** A judge that gives both words together less than this does not answer what was asked. */
const leastMass = 0.01;
/** A whole response is judged. */
const outcome = { of: "outcome", separator: "" } as const;

export interface ByTokenOptions {
  /** Verdicts that are sampled of each response to learn from; 0 to learn none. */
  readonly learn: number;
}

/**
 * Scores by the probability of a word: p(right) / (p(right) + p(wrong)), each the probability of the first token of the task's word for
 * it after the task's question. Where verdicts are learnt, each that is sampled is a rollout of its own, and its reward the share that the
 * judge itself gives to what it says: judging is sharpened towards its own majority.
 */
export async function judgeByToken(
  groups: readonly RolloutGroup[],
  context: RewardContext,
  { learn }: ByTokenOptions,
): Promise<ScoredGroup[]> {
  const { task, models, seed, signal } = context;
  const waiting = signal ? { signal } : {};
  const judge = models.policyOf("judge");
  const asked = groups.flatMap(({ rollouts }) =>
    rollouts.flatMap((rollout) => questionsOf(judge.tokenizer, task, rollout, outcome).slice(0, 1)),
  );
  const readings = await readVerdicts(judge, asked, signal);
  const responses = groups.flatMap(({ item, rollouts }) => rollouts.map((_, index) => ({ item, index })));
  const questions = responses.map(({ item, index }, place): Question => {
    const { prompting } = asked[place] as VerdictQuestion;
    return { item, name: `verdict ${index}`, words: prompting };
  });
  const verdicts =
    learn === 0
      ? []
      : await ask(questions, {
          policy: { ...judge, role: learnerOf(judge, context, rolesIn(groups)) },
          samples: learn,
          temperature: 1,
          maxTokens: () => 1,
          seed,
          ...waiting,
        });
  let next = 0;
  return groups.map(({ item, rollouts }) => {
    const scored = rollouts.map((rollout): { own: ScoredRollout; said: ScoredRollout[] } => {
      const place = next++;
      const { share, mass } = readings[place] as VerdictReading;
      const words = asked[place] as VerdictQuestion;
      const read = mass >= leastMass;
      const reward = read ? share : null;
      const parts = { mass, ...(read ? {} : { [unreadPart]: 1 }) };
      const said = (verdicts[place] ?? []).map((verdict): ScoredRollout => {
        const token = verdict.segments.at(-1)?.tokens[0];
        const kept =
          token === words.right ? reward : token === words.wrong && reward !== null ? 1 - reward : null;
        return { rollout: verdict, reward: kept, parts: kept === null ? { [unreadPart]: 1 } : {} };
      });
      return { own: { rollout, reward, parts }, said };
    });
    return {
      item,
      rollouts: [...scored.map(({ own }) => own), ...scored.flatMap(({ said }) => said)],
    };
  });
}

export function rolesIn(groups: readonly RolloutGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap(({ rollouts }) => rollouts.map(({ role }) => role)));
}
