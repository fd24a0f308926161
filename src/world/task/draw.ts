import { type RandomStream, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { Item, Split, Stratum, Task } from "../../foundation/contract/index.ts";
import { enumerateItems, generatorOf, splitIn, stratumAt } from "./items.ts";
import { isEnumerated, mostInSplit, splitShares } from "./splits.ts";

export interface DrawRequest {
  readonly task: Task;
  readonly difficulty: number;
  /** Items of any other split are refused. An enumerated stratum has no splits and gives all its items to each. */
  readonly split: Split;
  readonly count: number;
  readonly random: RandomStream;
  /** Canonical forms that may not be drawn, because they are used already. */
  readonly exclude?: (canonical: string) => boolean;
  /** No item twice (the default); an enumerated stratum begins again when every item was drawn. */
  readonly distinct?: boolean;
  /** Gives every item that there is, once, where there are fewer than `count`: no error, and no beginning again. */
  readonly orFewer?: boolean;
}

/** Fruitless draws in a row, for each distinct item, after which a stratum counts as exhausted: a miss has odds of e⁻²⁰. */
const patience = 40;
const mostFruitless = 1_000_000;

/**
 * Draws items of one difficulty and one split, by rejection; the same stream gives the same items. Throws a user error
 * `items-exhausted` when the stratum has too few, `no-such-stratum` when there is no such difficulty.
 *
 * @example
 * drawItems({ task: reverse(), difficulty: 9, split: "validation", count: 128, random: randomStream(0, "validation") })
 */
export function drawItems(request: DrawRequest): Item[] {
  const { task, difficulty, split, count, random, exclude, distinct = true, orFewer = false } = request;
  const stratum = stratumAt(task, difficulty);
  const enumerated = isEnumerated(stratum);
  if (distinct && !enumerated && !orFewer && count > mostInSplit(stratum, split))
    throw exhausted(request, stratum);
  if (stratum.splits !== undefined) return drawListed(request, stratum);
  const source = generatorOf(task);
  const items: Item[] = [];
  const seen = new Set<string>();
  const limit = Math.min(patience * stratum.distinct, mostFruitless);
  let fruitless = 0;
  while (items.length < count) {
    const all = seen.size >= stratum.distinct;
    if (all && enumerated && !orFewer) seen.clear();
    else if (all || fruitless >= limit) {
      if (orFewer) break;
      throw exhausted(request, stratum, items.length);
    }
    fruitless += 1;
    const problem = task.generate(difficulty, random);
    const canonical = task.canonical(problem);
    if (distinct) {
      if (seen.has(canonical)) continue;
      seen.add(canonical);
    }
    if (exclude?.(canonical)) continue;
    const place = splitIn(task, stratum, canonical);
    if (place !== split && place !== "none") continue;
    items.push({ ...problem, canonical, stratum: stratum.name, split: place, source });
    fruitless = 0;
  }
  return items;
}

/** Items of a file: the split's own, shuffled; distinct ones are each drawn once. */
function drawListed(request: DrawRequest, stratum: Stratum): Item[] {
  const { task, difficulty, split, count, random, exclude, distinct = true, orFewer = false } = request;
  const own = enumerateItems(task, difficulty).filter(
    (item) => item.split === split && exclude?.(item.canonical) !== true,
  );
  if (!distinct && own.length > 0) return Array.from({ length: count }, () => random.pick(own));
  if (own.length < count && !orFewer) throw exhausted(request, stratum, own.length);
  return random.shuffle(own).slice(0, count);
}

function exhausted(request: DrawRequest, stratum: Stratum, found?: number): WhetstoneError {
  const { task, split, count, exclude, distinct = true } = request;
  const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
  const exist = isEnumerated(stratum)
    ? `${whole(stratum.distinct)} items`
    : `${stratum.splits === undefined ? "about " : ""}${whole(stratum.splits?.[split] ?? stratum.distinct * splitShares[split])} ${split} items (${whole(stratum.distinct)} in all splits)`;
  const left = found === undefined ? "" : `, of which ${whole(found)} could be drawn`;
  const asked = `${whole(count)}${distinct ? " different ones" : ""}${exclude === undefined ? "" : " that are not used yet"}`;
  return userError(
    "items-exhausted",
    `${task.name}: ${stratum.name} has ${exist}${left}, and ${asked} were asked for. Ask for fewer, or for a difficulty that has more.`,
    { task: task.name, stratum: stratum.name, split, count, found: found ?? null },
  );
}
