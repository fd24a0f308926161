import { z } from "zod";
import { type RandomStream, readOptions } from "../../../foundation/base/index.ts";
import type { Demonstration, Item, Source, Stratum, Task } from "../../../foundation/contract/index.ts";
import { drawItems } from "../../../world/task/index.ts";

const optionsSchema = z.strictObject({
  /** Demonstrations in the pool of each round. */
  items: z.number().int().min(1).default(2048),
});
export type DemonstrationsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The task's own demonstrations: training items of its base difficulties, each by its weight, with a right response. In a
 * round they are what older training is replayed from; in preparation every batch is drawn anew. Of a file each training
 * line comes once at most before all have come, so a round brings no more than there are.
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
    mostDemonstrations: items,
    acquire: async ({ task, random }) => ({
      items: [],
      demonstrations: drawDemonstrations(task, items, random, { once: true }),
    }),
    draw: (task, count, random) => drawDemonstrations(task, count, random, { once: false }),
  };
}

function drawDemonstrations(
  task: Task,
  count: number,
  random: RandomStream,
  { once }: { readonly once: boolean },
): Demonstration[] {
  const [low, high] = task.difficulty.base;
  const base = task.strata.filter(({ difficulty }) => difficulty >= low && difficulty <= high);
  const weighing = base.filter(({ weight }) => weight > 0);
  const strata = weighing.length > 0 ? weighing : base;
  const { next, again } = trainingItems(task, random);
  const drawn: Demonstration[] = [];
  let left = strata;
  while (drawn.length < count) {
    const stratum = pickByWeight(left, random);
    const item = stratum === undefined ? undefined : next(stratum);
    if (item !== undefined) drawn.push({ item, response: task.demonstrate(item, random) });
    else if (left.length > 0) left = left.filter((one) => one !== stratum);
    else if (once || drawn.length === 0) break;
    else {
      again();
      left = strata;
    }
  }
  return drawn;
}

/** Hands out training items: a generator's without end, each of a file's once until all may come again. */
function trainingItems(task: Task, random: RandomStream) {
  const waiting = new Map<Stratum, Item[]>();
  return {
    next: (stratum: Stratum): Item | undefined => {
      const { difficulty, splits } = stratum;
      const request = { task, difficulty, split: "train", random } as const;
      if (splits === undefined) return drawItems({ ...request, count: 1, distinct: false })[0];
      const items =
        waiting.get(stratum) ?? drawItems({ ...request, count: Number.POSITIVE_INFINITY, orFewer: true });
      waiting.set(stratum, items);
      return items.pop();
    },
    again: (): void => waiting.clear(),
  };
}

/** Undefined where there is nothing to pick from. */
function pickByWeight(strata: readonly Stratum[], random: RandomStream): Stratum | undefined {
  const [first] = strata;
  if (first === undefined) return undefined;
  if (strata.every(({ weight }) => weight === first.weight))
    return strata[random.integer(0, strata.length - 1)];
  let point = random.uniform() * strata.reduce((sum, { weight }) => sum + weight, 0);
  for (const stratum of strata) {
    point -= stratum.weight;
    if (point < 0) return stratum;
  }
  return strata.at(-1);
}
