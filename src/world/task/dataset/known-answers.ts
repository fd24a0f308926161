import type { Canary, Item, Verifier } from "../../../foundation/contract/index.ts";

export interface Known {
  readonly item: Item;
  /** A right response that is more than the reference answer, where there is one. */
  readonly completion: string | undefined;
}

const mostItems = 6;
const mostOthers = 8;

/**
 * Canaries from a file's own training rows: what the verifier makes of their reference answers, if it does; else each
 * reference answer as right, and as wrong nothing, the same cut off by the token limit, and another row's answer. A
 * completion is right too.
 */
export function canariesOf(verifier: Verifier, known: readonly Known[]): Canary[] {
  const answers = [...new Set(spread(known, 50).flatMap(({ item }) => item.answer ?? []))];
  return spread(known, mostItems).flatMap(({ item, completion }) => {
    const { answer = "" } = item;
    const others = answers.filter((other) => bare(other) !== bare(answer)).slice(0, mostOthers);
    const canary = (text: string, right: boolean, complete = true): Canary => ({
      item,
      response: { text, complete },
      right,
    });
    const own = verifier.canaries?.(item, others) ?? [
      canary(answer, true),
      canary(answer, false, false),
      canary("", false),
      ...others.slice(0, 1).map((other) => canary(other, false)),
    ];
    return [...own, ...(completion === undefined ? [] : [canary(completion, true)])];
  });
}

/** What is left of an answer where case, marks and spaces do not matter. */
function bare(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "") || text;
}

/** At most so many, evenly taken. */
function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)] as T);
}
