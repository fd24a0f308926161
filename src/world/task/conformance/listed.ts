import { type Split, splitSchema } from "../../../foundation/contract/index.ts";
import { enumerateItems } from "../items.ts";
import { broken, type CheckOfTask, problemsOf, shown, streamOf } from "./check.ts";

/** A listed stratum lists as many items as it says, each split as many as it says, and generate draws no others. */
export const listed: CheckOfTask = (task) => {
  for (const stratum of task.strata) {
    const { name, splits, distinct, difficulty } = stratum;
    if (splits === undefined) continue;
    const items = enumerateItems(task, difficulty);
    const known = new Set(items.map(({ canonical }) => canonical));
    if (items.length !== distinct || known.size !== distinct)
      throw broken(
        task,
        `${name} says ${distinct} distinct items and lists ${items.length}, ${known.size} of them distinct`,
      );
    const held = (split: Split): number => items.filter((item) => item.split === split).length;
    const wrong = splitSchema.options.find((split) => held(split) !== splits[split]);
    if (wrong !== undefined)
      throw broken(task, `${name} says ${splits[wrong]} ${wrong} items and lists ${held(wrong)}`);
    const stray = problemsOf(task, stratum, streamOf("listed", stratum), 200)
      .map((problem) => task.canonical(problem))
      .find((canonical) => !known.has(canonical));
    if (stray !== undefined) throw broken(task, `${name} does not list ${shown(stray)}, which is drawn`);
  }
};
