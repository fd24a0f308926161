import { z } from "zod";
import { type RandomStream, randomStream, readOptions } from "../../../foundation/base/index.ts";
import type { AcquireContext, Item, Source, Stratum, Task } from "../../../foundation/contract/index.ts";
import { drawItems, enumerateItems } from "../../../world/task/index.ts";
import { sharesOfRounds } from "./shares.ts";

const optionsSchema = z.strictObject({
  /** Different items a round; fewer where the training split holds fewer. */
  items: z.number().int().min(1).default(192),
});
export type PromptsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Training items of the whole target distribution, each stratum by its weight, without demonstrations: the model writes its
 * own responses. The lines of a file are shuffled, and none comes again before all of its kind have come; a generator makes
 * new items every round.
 *
 * @example
 * defineRun({ task: parity(), acquire: [demonstrations(), prompts({ items: 192 })] });
 */
export function prompts(options: PromptsOptions = {}): Source {
  const { items: wanted } = readOptions("prompts()", optionsSchema, options);
  return {
    name: "prompts",
    description: { items: wanted },
    mostItems: wanted,
    acquire: async ({ task, round, random }: AcquireContext) => {
      const strata = task.strata.filter(({ weight }) => weight > 0);
      const rounds = Math.max(1, round);
      const counts = sharesOfRounds({ weights: strata.map(({ weight }) => weight), each: wanted, rounds });
      // Of the run's seed alone, so that a round knows what the rounds before it took.
      const lasting = randomStream(random.state().key, "prompts");
      const items = strata.flatMap((stratum, index) => {
        const own = counts.map((ofRound) => ofRound[index] ?? 0);
        return stratum.splits === undefined
          ? drawn(task, stratum, own.at(-1) ?? 0, random)
          : passedThrough(task, stratum, own, lasting);
      });
      return { items: random.shuffle(items), demonstrations: [] };
    },
  };
}

function drawn(task: Task, { name, difficulty }: Stratum, count: number, random: RandomStream): Item[] {
  return drawItems({ task, difficulty, split: "train", count, random: random.fork(name), orFewer: true });
}

/** What the last round takes of a file's lines, after all rounds before it: pass after pass, none twice in a round. */
function passedThrough(
  task: Task,
  { name, difficulty }: Stratum,
  counts: readonly number[],
  random: RandomStream,
): Item[] {
  const all = enumerateItems(task, difficulty).filter(({ split }) => split === "train");
  let [waiting, passes]: [Item[], number] = [[], 0];
  let taken: Item[] = [];
  for (const count of counts) {
    taken = waiting.splice(0, count);
    if (taken.length === count) continue;
    const rest = random.fork(`${name}/${passes}`).shuffle(all);
    passes += 1;
    const own = new Set(taken);
    const fresh = rest.filter((item) => !own.has(item)).slice(0, count - taken.length);
    for (const item of fresh) own.add(item);
    const begun = new Set(fresh);
    waiting = rest.filter((item) => !begun.has(item));
    taken = [...taken, ...fresh];
  }
  return taken;
}
