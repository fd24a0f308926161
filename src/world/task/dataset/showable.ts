import { smallestGain, spentOnReusedAt } from "../../../foundation/statistics/index.ts";
import { splitShares } from "../splits.ts";

/** Share of items on which two models are taken to differ, where nobody knows yet. */
const discordance = 0.25;
const usualAlpha = 0.05;

/** The smallest gain that so many decision items can show at an opening of the gate; null where they can show none. */
export function showableGain(decisionItems: number, opening: number): number | null {
  return smallestGain({ pairs: decisionItems, alpha: spentOnReusedAt(opening, usualAlpha), discordance });
}

/** About how many lines a file needs before its decision items can show any gain at the first opening. */
export function fewestLines(): number {
  let [low, high] = [0, 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (showableGain(middle, 1) === null) low = middle;
    else high = middle;
  }
  return Math.ceil(high / splitShares.decision);
}
