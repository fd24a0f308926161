import {
  type RandomStream,
  randomStream,
  userError,
  type WhetstoneError,
} from "../../../foundation/base/index.ts";
import type { Item, Problem, Stratum, Task } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { isEnumerated } from "../splits.ts";

/** One promise of a task, and its test: `run` throws a user error `task-promise-broken` that says what was found instead. */
export interface TaskCheck {
  readonly name: string;
  run(): Promise<void>;
}

/** Tests one promise of any task. */
export type CheckOfTask = (task: Task) => void | Promise<void>;

export function broken(task: Task, what: string): WhetstoneError {
  return userError("task-promise-broken", `${task.name}: ${what}.`, { task: task.name });
}

/** How an error names a text; long ones are cut. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

/** The same on every machine, and different in every check and stratum. */
export function streamOf(check: string, { name }: Stratum): RandomStream {
  return randomStream("task conformance", `${check}/${name}`);
}

/**
 * Strata worth a look: every enumerated one, the ends of the scale's parts, and the smallest one with splits; of kinds, which
 * have no ends, all.
 */
export function probedStrata({ strata, difficulty }: Task): Stratum[] {
  const ends = new Set([...difficulty.base, difficulty.growTo, difficulty.measureTo]);
  const smallest = strata.find((stratum) => !isEnumerated(stratum));
  return strata.filter(
    (stratum) =>
      difficulty.ordered === false ||
      isEnumerated(stratum) ||
      stratum === smallest ||
      ends.has(stratum.difficulty),
  );
}

/** Those where the task has demonstrations. */
export function demonstratedStrata(task: Task): Stratum[] {
  const [low, high] = task.difficulty.base;
  return probedStrata(task).filter(({ difficulty }) => difficulty >= low && difficulty <= high);
}

/** Problems of a stratum, drawn as a run draws them. */
export function problemsOf(task: Task, stratum: Stratum, random: RandomStream, count: number): Problem[] {
  return Array.from({ length: count }, () => task.generate(stratum.difficulty, random));
}

/** Items with a demonstration each, over all strata that have them. */
export function demonstrationsOf(task: Task, check: string, count = 200): { item: Item; text: string }[] {
  return demonstratedStrata(task).flatMap((stratum) => {
    const random = streamOf(check, stratum);
    return Array.from({ length: count }, () => {
      const item = itemOf(task, task.generate(stratum.difficulty, random));
      return { item, text: task.demonstrate(item, random) };
    });
  });
}
