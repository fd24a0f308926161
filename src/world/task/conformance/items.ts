import type { DifficultyScale, Stratum, Task } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { isEnumerated } from "../splits.ts";
import {
  broken,
  type CheckOfTask,
  demonstratedStrata,
  probedStrata,
  problemsOf,
  shown,
  streamOf,
} from "./check.ts";

/** Name, version, scale and strata make sense. */
export const declares: CheckOfTask = (task) => {
  const { base, growTo, measureTo, unit } = task.difficulty;
  const scale = [base[0], base[1], growTo, measureTo];
  if (task.name === "" || unit === "") throw broken(task, "it has no name, or its difficulty has no unit");
  if (!Number.isInteger(task.version) || task.version < 1)
    throw broken(task, `its version is ${task.version}, not 1, 2, 3, …`);
  if (!scale.every((value, index) => Number.isInteger(value) && value >= (scale[index - 1] ?? value)))
    throw broken(task, `its scale does not rise in whole numbers: ${scale.join(", ")}`);
  const { strata } = task;
  const missing = scale.find((value) => !strata.some(({ difficulty }) => difficulty === value));
  if (missing !== undefined)
    throw broken(task, `it has no stratum of ${unit} ${missing}, which its scale names`);
  if (task.difficulty.ordered === false) numbersKinds(task);
  for (const [index, stratum] of strata.entries()) {
    const wrong = wrongIn(stratum, strata[index - 1], task.difficulty);
    if (wrong !== undefined) throw broken(task, `stratum ${shown(stratum.name)} ${wrong}`);
  }
  if (new Set(strata.map(({ name }) => name)).size < strata.length)
    throw broken(task, "two strata share a name");
  if (strata.every(({ weight }) => weight === 0)) throw broken(task, "every stratum has weight 0");
};

/** Kinds have names; their numbers are places in a list, and say nothing of how hard they are. */
function numbersKinds(task: Task): void {
  const { base, growTo, measureTo } = task.difficulty;
  const last = task.strata.length;
  if (base[0] !== 1 || base[1] !== last || growTo !== last || measureTo !== last)
    throw broken(
      task,
      `its difficulties have no order, so its scale reaches from 1 to ${last}, how many kinds there are, throughout; it is ${[...base, growTo, measureTo].join(", ")}`,
    );
  const stray = task.strata.find(({ difficulty }, index) => difficulty !== index + 1);
  if (stray !== undefined)
    throw broken(task, `its kinds are not numbered 1, 2, 3, …: ${shown(stray.name)} is ${stray.difficulty}`);
}

function wrongIn(
  { difficulty, distinct, weight }: Stratum,
  before: Stratum | undefined,
  { base, measureTo }: DifficultyScale,
): string | undefined {
  if (before !== undefined && before.difficulty >= difficulty) return "does not stand in order of difficulty";
  if (difficulty < base[0] || difficulty > measureTo) return "lies outside the scale";
  if (!(distinct >= 1 && (Number.isInteger(distinct) || distinct === Number.POSITIVE_INFINITY)))
    return `has ${distinct} distinct items`;
  return Number.isFinite(weight) && weight >= 0 ? undefined : `has the weight ${weight}`;
}

/** Nothing but the stream decides what is drawn. */
export const repeatable: CheckOfTask = (task) => {
  const demonstrated = demonstratedStrata(task);
  for (const stratum of probedStrata(task)) {
    const draw = (): string => {
      const random = streamOf("repeatable", stratum);
      const problems = problemsOf(task, stratum, random, 20);
      const shownToLearner = demonstrated.includes(stratum) ? problems : [];
      const texts = shownToLearner.map((problem) => task.demonstrate(itemOf(task, problem), random));
      return JSON.stringify([problems, texts]);
    };
    const [first, second] = [draw(), draw()];
    if (first !== second)
      throw broken(task, `one stream gives different items or demonstrations of ${stratum.name}`);
  }
};

/** A stratum's items are of its difficulty, and of no other stratum. */
export const inStratum: CheckOfTask = (task) => {
  const home = new Map<string, string>();
  for (const stratum of probedStrata(task)) {
    for (const problem of problemsOf(task, stratum, streamOf("in stratum", stratum), 200)) {
      if (problem.difficulty !== stratum.difficulty)
        throw broken(
          task,
          `${shown(problem.prompt)}, drawn for ${stratum.name}, has difficulty ${problem.difficulty}`,
        );
      const canonical = task.canonical(problem);
      const other = home.get(canonical) ?? stratum.name;
      if (other !== stratum.name)
        throw broken(task, `${shown(canonical)} is an item of ${other} and of ${stratum.name}`);
      home.set(canonical, other);
    }
  }
};

/** The canonical form is a function of the problem, and needs no answer. */
export const canonicalStable: CheckOfTask = (task) => {
  for (const stratum of probedStrata(task)) {
    for (const problem of problemsOf(task, stratum, streamOf("canonical", stratum), 100)) {
      const { prompt, messages, difficulty } = problem;
      const bare = { prompt, difficulty, ...(messages === undefined ? {} : { messages }) };
      const canonical = task.canonical(problem);
      if (canonical === "") throw broken(task, `the canonical form of ${shown(prompt)} is empty`);
      const again = [task.canonical(problem), task.canonical(bare)];
      const other = again.find((one) => one !== canonical);
      if (other !== undefined)
        throw broken(
          task,
          `${shown(prompt)} has two canonical forms, ${shown(canonical)} and ${shown(other)}`,
        );
    }
  }
};

/** An enumerated stratum lists as many items as it says, and generate reaches each of them and nothing else. */
export const enumerable: CheckOfTask = (task) => {
  for (const stratum of task.strata.filter(isEnumerated)) {
    const listed = Array.from(task.enumerate(stratum.difficulty));
    const stray = listed.find(({ difficulty }) => difficulty !== stratum.difficulty);
    if (stray !== undefined)
      throw broken(task, `${stratum.name} lists ${shown(stray.prompt)} of difficulty ${stray.difficulty}`);
    const missing = new Set(listed.map((problem) => task.canonical(problem)));
    const { size } = missing;
    if (size !== stratum.distinct || listed.length !== size)
      throw broken(
        task,
        `${stratum.name} says ${stratum.distinct} distinct items and lists ${listed.length}, ${size} of them distinct`,
      );
    const drawn = problemsOf(task, stratum, streamOf("enumerable", stratum), 40 * size);
    const all = new Set(missing);
    for (const problem of drawn) {
      const canonical = task.canonical(problem);
      if (!all.has(canonical))
        throw broken(task, `${stratum.name} does not list ${shown(canonical)}, which is drawn`);
      missing.delete(canonical);
    }
    const [first] = missing;
    if (first !== undefined)
      throw broken(
        task,
        `${missing.size} of ${size} items of ${stratum.name} are never drawn, such as ${shown(first)}`,
      );
  }
};

/**
 * A stratum with splits has about as many items as it says. Of n draws among D equals, n(n − 1)/2D repeat another at most
 * on average; twice as many and ten more is not chance.
 */
export const spread: CheckOfTask = (task) => {
  const draws = 300;
  for (const stratum of probedStrata(task).filter((one) => !isEnumerated(one) && one.splits === undefined)) {
    const drawn = problemsOf(task, stratum, streamOf("spread", stratum), draws);
    const repeats = draws - new Set(drawn.map((problem) => task.canonical(problem))).size;
    if (repeats > 10 + (draws * (draws - 1)) / stratum.distinct)
      throw broken(
        task,
        `${draws} draws of ${stratum.name} repeat an item ${repeats} times, too often for ${stratum.distinct} distinct ones`,
      );
  }
};
