import type { Source } from "whetstone";

/** A source that takes items as the generator makes them, whatever split they belong to, and calls all of them training items. */
export function leakingItems({
  difficulty,
  items,
}: {
  readonly difficulty: number;
  readonly items: number;
}): Source {
  return {
    name: "leaking items",
    description: { difficulty, items },
    mostItems: items,
    acquire: async ({ task, random }) => {
      const stratum = task.strata.find((one) => one.difficulty === difficulty)?.name ?? "";
      return {
        items: Array.from({ length: items }, () => {
          const problem = task.generate(difficulty, random);
          const canonical = task.canonical(problem);
          return { ...problem, canonical, stratum, split: "train", source: "a file that was found" };
        }),
        demonstrations: [],
      };
    },
  };
}
