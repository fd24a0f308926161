import type { Item, Problem, RolloutGroup, Task } from "../../../foundation/contract/index.ts";
import { itemOf } from "../../../world/task/index.ts";

export interface Proposal {
  /** Undefined where nothing can be asked. */
  readonly item?: Item;
  readonly parts: Readonly<Record<string, number>>;
}

/** In the order of the rollouts, over all groups. */
export async function proposalsIn(groups: readonly RolloutGroup[], task: Task): Promise<Proposal[]> {
  const read = await Promise.all(
    groups.flatMap(({ item: { difficulty, source }, rollouts }) =>
      rollouts.map(async ({ response, role, item }) => {
        const problem = response.complete ? await task.readProblem?.(response.text, difficulty) : undefined;
        const made = item.source === source ? "" : ` from ${item.source}`;
        return problem && askable(task, problem, `model:${role}${made}`);
      }),
    ),
  );
  const met = new Set(groups.map(({ item }) => item.canonical));
  return read.map((item): Proposal => {
    if (item === undefined) return { parts: { valid: 0 } };
    if (item.split !== "train" && item.split !== "none") return { parts: { valid: 1, train: 0 } };
    if (met.has(item.canonical)) return { parts: { valid: 1, train: 1, novel: 0 } };
    met.add(item.canonical);
    return { item, parts: { valid: 1, train: 1, novel: 1 } };
  });
}

/** Undefined for a problem that the task itself cannot place. */
function askable(task: Task, problem: Problem, source: string): Item | undefined {
  try {
    return itemOf(task, problem, source);
  } catch {
    return undefined;
  }
}
