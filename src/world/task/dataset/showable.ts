import { fewestPairs, showableAt, spentOnReusedAt } from "../../../foundation/statistics/index.ts";
import { splitShares } from "../splits.ts";

/** Of a gate that is left as it comes. */
const usual = { alpha: 0.05, cap: 4000 };

/** The smallest gain that so many decision items can show at an opening of the gate; null where they can show none. */
export function showableGain(decisionItems: number, opening: number): number | null {
  const pairs = Math.min(decisionItems, usual.cap);
  return showableAt({ pairs, opening, alpha: usual.alpha, reused: true });
}

/** Whether a gate can open on so few decision items at all. */
export function canOpen(decisionItems: number): boolean {
  return decisionItems >= fewestPairs(spentOnReusedAt(1, usual.alpha));
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
