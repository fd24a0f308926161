import type { Item, ScoredGroup } from "../../../../foundation/contract/index.ts";

/** Items that the pass before this one made, and solved neither too often nor too seldom; each once. */
export function proposedWithin(
  low: number,
  high: number,
): (earlier: readonly ScoredGroup[]) => readonly Item[] {
  return (earlier) => {
    const items = earlier.flatMap(({ rollouts }) =>
      rollouts.flatMap(({ made, parts: { solved = 0.5 } }) =>
        made !== undefined && solved >= low && solved <= high ? [made] : [],
      ),
    );
    return [...new Map(items.map((item) => [item.canonical, item])).values()];
  };
}
