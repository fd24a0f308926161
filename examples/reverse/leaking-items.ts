import type { Source } from "whetstone";

/**
 * A source that takes items of the next difficulty as the generator makes them, whatever split they belong to, and calls all of them
 * training items.
 */
export function leakingItems({ items }: { readonly items: number }): Source {
  return {
    name: "leaking items",
    description: { items },
    mostItems: items,
    acquire: async ({ task, trainedTo, random }) => {
      const difficulty = Math.min(task.difficulty.growTo, trainedTo + 1);
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
