import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { AcquireContext, Source } from "../../../foundation/contract/index.ts";
import { drawItems, stratumAt } from "../../../world/task/index.ts";

const optionsSchema = z.strictObject({
  /**
   * `next`: one more than was trained so far; `frontier + 1`: one more than the greatest difficulty up to which all are
   * solved on validation items; neither goes beyond the task's `growTo`. Or a fixed difficulty that the task has.
   */
  difficulty: z.union([z.enum(["next", "frontier + 1"]), z.number().int().min(1)]).default("next"),
  /** Different items a round; fewer where the training split holds fewer. */
  items: z.number().int().min(1).default(2048),
});
export type ProceduralOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * New items from the task's own generator, of one difficulty a round, without answers: the model writes its own.
 *
 * @example
 * defineRun({ task: reverse(), acquire: [demonstrations(), procedural({ difficulty: "next", items: 2048 })] });
 */
export function procedural(options: ProceduralOptions = {}): Source {
  const read = readOptions("procedural()", optionsSchema, options);
  return {
    name: "procedural",
    description: read,
    mostItems: read.items,
    check: (task) => {
      if (typeof read.difficulty === "number") stratumAt(task, read.difficulty);
    },
    acquire: async (context) => {
      const { task, random } = context;
      const difficulty = difficultyOf(read.difficulty, context);
      const items = drawItems({ task, difficulty, split: "train", count: read.items, random, orFewer: true });
      return { items, demonstrations: [] };
    },
  };
}

function difficultyOf(wanted: "next" | "frontier + 1" | number, context: AcquireContext): number {
  if (typeof wanted === "number") return wanted;
  const { base, growTo } = context.task.difficulty;
  const reached = wanted === "next" ? context.trainedTo : (context.frontier ?? base[0] - 1);
  return Math.min(growTo, Math.max(base[0], reached + 1));
}
