import { z } from "zod";
import { type RandomStream, readOptions } from "../../../foundation/base/index.ts";
import type { Demonstration, Source, Task } from "../../../foundation/contract/index.ts";
import { drawItems } from "../../../world/task/index.ts";

const optionsSchema = z.strictObject({
  /** Demonstrations in the pool of each round. */
  items: z.number().int().min(1).default(2048),
});
export type DemonstrationsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The task's own demonstrations: training items of its base difficulties, each as likely, with a right response. In a round
 * they are what older training is replayed from; in preparation every batch is drawn anew.
 *
 * @example
 * defineRun({ task: reverse(), acquire: [demonstrations(), procedural()] });
 */
export function demonstrations(options: DemonstrationsOptions = {}): Source {
  const { items } = readOptions("demonstrations()", optionsSchema, options);
  return {
    name: "demonstrations",
    description: { items },
    mostItems: 0,
    acquire: async ({ task, random }) => ({
      items: [],
      demonstrations: drawDemonstrations(task, items, random),
    }),
    draw: drawDemonstrations,
  };
}

function drawDemonstrations(task: Task, count: number, random: RandomStream): Demonstration[] {
  const [low, high] = task.difficulty.base;
  return Array.from({ length: count }, () => {
    const [item] = drawItems({
      task,
      difficulty: random.integer(low, high),
      split: "train",
      count: 1,
      random,
      distinct: false,
    });
    if (item === undefined) throw new RangeError("one item was asked for");
    return { item, response: task.demonstrate(item, random) };
  });
}
