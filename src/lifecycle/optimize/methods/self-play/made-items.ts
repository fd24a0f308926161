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

/** Items that the pass before this one made, and that are solved neither too often nor too seldom, where that is known; each once. */
export function madeWithin(low: number, high: number): (earlier: readonly ScoredGroup[]) => readonly Item[] {
  return (earlier) => {
    const items = earlier.flatMap(({ rollouts }) =>
      rollouts.flatMap(({ made, parts: { solved = 0.5 } }) =>
        made !== undefined && solved >= low && solved <= high ? [made] : [],
      ),
    );
    return [...new Map(items.map((item) => [item.canonical, item])).values()];
  };
}
