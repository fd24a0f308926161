import type { Measurement } from "../../foundation/contract/index.ts";
import type { RunFacts, RunStory } from "./story.ts";
import { percent } from "./words.ts";

/** False where difficulties only number kinds: these have names, and there is no frontier. */
export function isOrdered(facts: RunFacts | null): boolean {
  return facts?.kinds === undefined;
}

/** A difficulty as people say it: `length 12`, or the name of its kind. */
export function difficultyName(difficulty: number, facts: RunFacts | null): string {
  return facts?.kinds?.[difficulty - 1] ?? `${facts?.unit ?? "difficulty"} ${difficulty}`;
}

/** How right each kind was, before and after; on audit items when both were audited, else on validation items. */
export interface KindsStory {
  readonly split: "audit" | "validation";
  readonly kinds: readonly {
    readonly name: string;
    readonly before: number | null;
    readonly after: number;
  }[];
}

/** Null where difficulties have an order, or nothing was measured. Of the base and the champion; when a gate observes, of the last candidate. */
export function kindsOf(story: RunStory): KindsStory | null {
  const { facts, audit, preparation, rounds, champion } = story;
  if (isOrdered(facts)) return null;
  const base = audit?.before ?? preparation?.validation ?? null;
  const last = rounds.findLast(({ validation }) => validation !== null)?.validation ?? null;
  const own = rounds.find(({ round }) => round === champion.round)?.validation ?? base;
  const after = audit?.after ?? (facts?.observe === true ? last : own);
  if (after === null) return null;
  return {
    split: after.split,
    kinds: after.strata.map(({ stratum, mean }) => ({
      name: stratum,
      before: base === null || base === after ? null : meanOfKind(base, stratum),
      after: mean,
    })),
  };
}

function meanOfKind({ strata }: Measurement, name: string): number | null {
  return strata.find(({ stratum }) => stratum === name)?.mean ?? null;
}

/** More kinds than these are for the report. */
const mostKinds = 8;

/** `product 57.6 % → 92.4 %`, one for each kind. */
export function kindWords({ kinds }: KindsStory): string[] {
  const words = kinds
    .slice(0, mostKinds)
    .map(
      ({ name, before, after }) =>
        `${name} ${before === null ? "" : `${percent(before)} → `}${percent(after)}`,
    );
  return kinds.length > mostKinds ? [...words, `and ${kinds.length - mostKinds} more`] : words;
}
