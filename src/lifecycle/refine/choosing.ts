import type { Harness, Rollout, RolloutGroup } from "../../foundation/contract/index.ts";
import { attempt } from "../../gro/rollout/index.ts";
import { answerOf, meanLogprob } from "./answer.ts";

export interface ChoosingOptions extends Pick<Harness, "name" | "description"> {
  /** Attempts at each item. */
  readonly samples: number;
  readonly temperature: number;
  /** The one of an item's attempts whose response is given. */
  readonly choose: (group: RolloutGroup) => Rollout | undefined | Promise<Rollout | undefined>;
}

/** Samples several answers to each item, and gives the one that is chosen. */
export function choosing({ name, description, samples, temperature, choose }: ChoosingOptions): Harness {
  return {
    name,
    description,
    samplesPerItem: samples,
    answer: async (request) => {
      const groups = await attempt({ ...request, samples, temperature });
      return Promise.all(groups.map(async (group) => answerOf(group.rollouts, await choose(group))));
    },
  };
}

/**
 * The most frequent answer (arXiv 2203.11171): argmax over a of Σ_i 1[a_i = a]. On a tie, and among rollouts of one answer, it is
 * the likelier one by mean logprob.
 */
export function mostFrequent(
  rollouts: readonly Rollout[],
  vote: (rollout: Rollout) => string | undefined,
): Rollout | undefined {
  const camps = [...Map.groupBy(rollouts, vote).values()].map((camp) => ({
    votes: camp.length,
    likeliest: camp.reduce((one, other) => (meanLogprob(other) > meanLogprob(one) ? other : one)),
  }));
  return camps.sort((a, b) => b.votes - a.votes || meanLogprob(b.likeliest) - meanLogprob(a.likeliest))[0]
    ?.likeliest;
}
