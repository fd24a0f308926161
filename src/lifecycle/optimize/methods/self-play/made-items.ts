import type { Item, ScoredGroup } from "../../../../foundation/contract/index.ts";
import type { Pass } from "../../../../gro/method.ts";
import { learnNothing } from "../../../../gro/update/index.ts";

/** A pass in which one role writes, perhaps asking others, and nobody learns: it makes items for the pass after it. */
export function makingItems(
  writer: string,
  parts: Pick<Pass, "generate" | "reward">,
  asks: readonly string[] = [writer],
): Pass {
  return {
    ...parts,
    roles: [],
    writers: [writer],
    asks,
    update: learnNothing(),
    repeat: 1,
    start: "current",
  };
}

const noProposal = "what was proposed is no problem of the task, was there before, or could not be judged";

/**
 * Items that the pass before this one made, and that are solved neither too often nor too seldom, where that is known; each once.
 * `none` says what it means that there are none.
 */
export function madeWithin(
  low: number,
  high: number,
  none = low <= 0 && high >= 1
    ? noProposal
    : `${noProposal}, or is solved less often than ${low} or more than ${high}`,
): Required<Pick<Pass, "itemsFrom" | "noItems">> {
  const itemsFrom = (earlier: readonly ScoredGroup[]): readonly Item[] => {
    const items = earlier.flatMap(({ rollouts }) =>
      rollouts.flatMap(({ made, parts: { solved = 0.5 } }) =>
        made !== undefined && solved >= low && solved <= high ? [made] : [],
      ),
    );
    return [...new Map(items.map((item) => [item.canonical, item])).values()];
  };
  return { itemsFrom, noItems: none };
}
