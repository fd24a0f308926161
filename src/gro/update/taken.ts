import type { Example, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { exampleId, exampleOfRollout, type RolloutPlace } from "../rollout/index.ts";

export interface Taken {
  readonly scored: ScoredRollout;
  readonly reward: number;
  readonly place: RolloutPlace;
}

export interface TakeOptions {
  readonly role: string;
  /** Of each group the first so many; all where left out. */
  readonly trained?: number | undefined;
  /** Optimiser steps that a rollout's weights may lie behind those that learn from it; any where left out. */
  readonly maxStaleness?: number | undefined;
  /** `<model>@<step>` of the weights that learn, where staleness is limited. */
  readonly weightVersion?: string | undefined;
}

/** A role's rollouts that may teach, group by group, void ones never among them, and how many are too old to. */
export function takenFrom(
  groups: readonly ScoredGroup[],
  { role, trained, maxStaleness, weightVersion = "" }: TakeOptions,
): { readonly taken: readonly (readonly Taken[])[]; readonly stale: number } {
  let stale = 0;
  const taken = groups.map(({ rollouts }, group) => {
    const own = [...rollouts.entries()].filter(([, { rollout }]) => rollout.role === role);
    return own.slice(0, trained).flatMap(([rollout, scored]): Taken[] => {
      if (scored.reward === null) return [];
      if (
        maxStaleness !== undefined &&
        !(ageOf(scored.rollout.weightVersion, weightVersion) <= maxStaleness)
      ) {
        stale += 1;
        return [];
      }
      return [{ scored, reward: scored.reward, place: { group, rollout, artifact: null } }];
    });
  });
  return { taken, stale };
}

/** What may teach a role, as an example. */
export interface TakenResponse extends Taken {
  readonly example: Example;
}

/** A role's responses that may teach, group by group: neither void nor empty. */
export function responsesOf(
  groups: readonly ScoredGroup[],
  role: string,
): readonly (readonly TakenResponse[])[] {
  return takenFrom(groups, { role }).taken.map((own) =>
    own.flatMap((taken): TakenResponse[] => {
      const example = exampleOfRollout(taken.scored.rollout, taken.place);
      return example.response.length === 0 ? [] : [{ ...taken, example }];
    }),
  );
}

/** The first of those whose tokens are the same, context and response. */
export function distinctResponses(responses: readonly TakenResponse[]): readonly TakenResponse[] {
  const first = new Map<string, TakenResponse>();
  for (const one of responses) {
    const id = exampleId(one.example);
    if (!first.has(id)) first.set(id, one);
  }
  return [...first.values()];
}

/**
 * Optimiser steps from the weights that wrote to those that learn, by the steps that their versions count: the count goes on through
 * checkpoints. NaN where it cannot be known, so that no limit is met: weights without a count, or newer ones.
 */
function ageOf(wrote: string, learns: string): number {
  if (wrote === learns) return 0;
  const age = stepOf(learns) - stepOf(wrote);
  return age >= 0 ? age : Number.NaN;
}

function stepOf(version: string): number {
  const [, step] = /@(\d+)$/.exec(version) ?? [];
  return step === undefined ? Number.NaN : Number(step);
}
