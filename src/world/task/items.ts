import { internalError, userError } from "../../foundation/base/index.ts";
import type { Item, Problem, Stratum, Task } from "../../foundation/contract/index.ts";
import { isEnumerated, type StratumSize, splitOf } from "./splits.ts";

/** The stratum of a difficulty. Throws a user error `no-such-stratum` for a difficulty that the task does not have. */
export function stratumAt(task: Pick<Task, "name" | "strata" | "difficulty">, difficulty: number): Stratum {
  const stratum = task.strata.find((one) => one.difficulty === difficulty);
  if (stratum !== undefined) return stratum;
  const { unit, base, measureTo } = task.difficulty;
  const range = base[0] === measureTo ? `only ${measureTo}` : `${base[0]} to ${measureTo}`;
  throw userError(
    "no-such-stratum",
    `${task.name} has no stratum "${unit} ${difficulty}": it has ${range}. Its options say how far it goes.`,
    { task: task.name, difficulty },
  );
}

/**
 * A problem with its identity, its stratum and its split. Throws the user errors `no-such-stratum` and `invalid-option`.
 *
 * @example
 * itemOf(reverse(), { prompt: "1234567=", difficulty: 7, answer: "7654321" }).split // the same on every machine
 */
export function itemOf(task: Task, problem: Problem, source?: string): Item {
  if (typeof task?.canonical !== "function")
    throw userError("invalid-option", "itemOf(): expected a task, such as reverse().");
  if (typeof problem?.prompt !== "string")
    throw userError("invalid-option", "itemOf(): expected a problem, with its prompt and its difficulty.");
  const stratum = stratumAt(task, problem.difficulty);
  const canonical = task.canonical(problem);
  return {
    ...problem,
    canonical,
    stratum: stratum.name,
    split: splitIn(task, stratum, canonical),
    source: source ?? problem.source ?? generatorOf(task),
  };
}

/** The same item with form and split made anew, whatever it says of them; null where the task knows no such item. */
export function placeOf(task: Task, item: Item): Item | null {
  const { prompt, difficulty, messages, answer } = item;
  try {
    return itemOf(task, {
      prompt,
      difficulty,
      ...(messages === undefined ? {} : { messages }),
      ...(answer === undefined ? {} : { answer }),
    });
  } catch {
    return null;
  }
}

/** The split of an item by its form, made anew; null for what only stands in an item's place, such as a role's question about one. */
export function ownSplit(task: Task, item: Item): Item["split"] | null {
  const place = placeOf(task, item);
  return place === null || place.canonical !== item.canonical ? null : place.split;
}

/** What the items of a task's own generator name as their source. */
export function generatorOf({ name, version }: Pick<Task, "name" | "version">): string {
  return `generator:${name}@${version}`;
}

/** As {@link splitOf}; `none` in an enumerated stratum. */
export function splitIn(
  { name, version }: Pick<Task, "name" | "version">,
  stratum: StratumSize,
  canonical: string,
): Item["split"] {
  return isEnumerated(stratum) ? "none" : splitOf(name, version, canonical);
}

/** Items of listed strata: a file's lines are drawn from again and again, and their splits take a hash each. */
const listedItems = new WeakMap<Task, Map<number, readonly Item[]>>();

/** Every item of an enumerated or listed stratum, once. Throws where the stratum is neither. */
export function enumerateItems(task: Task, difficulty: number): readonly Item[] {
  const stratum = stratumAt(task, difficulty);
  const known = listedItems.get(task)?.get(difficulty);
  if (known !== undefined) return known;
  if (!isEnumerated(stratum) && stratum.splits === undefined)
    throw internalError(`${task.name}: ${stratum.name} is too large to be enumerated`);
  const items = Array.from(task.enumerate(difficulty), (problem) => itemOf(task, problem));
  if (stratum.splits !== undefined)
    listedItems.set(task, (listedItems.get(task) ?? new Map()).set(difficulty, items));
  return items;
}
