import type { Attempts, AttemptsCompared } from "../../foundation/contract/index.ts";

export interface Reference {
  readonly name: "base" | "champion";
  readonly attempts: Attempts;
}

/** What a candidate is compared with: the base, which shows what rounds add up to, and the champion, which it would replace. */
export function referencesOf({ base, champion }: AttemptsCompared): readonly Reference[] {
  const first: Reference = { name: "base", attempts: base };
  return champion.weightVersion === base.weightVersion
    ? [first]
    : [first, { name: "champion", attempts: champion }];
}
