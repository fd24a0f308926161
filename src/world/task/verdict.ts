import { isWhetstoneError, messageOf } from "../../foundation/base/index.ts";
import type { Item, Response, Task, Verdict } from "../../foundation/contract/index.ts";

/**
 * The task's verdict on a response. A verifier that throws, or gives a score outside [0, 1], is a fault of
 * infrastructure: the verdict is void and says why, so that it neither trains nor counts. Throws only `verifier-failed`, from a
 * verifier that has given up: a run without verdicts has nothing to go on with.
 */
export async function verdictOf(
  task: Pick<Task, "verifier">,
  item: Item,
  response: Response,
): Promise<Verdict> {
  const { verifier } = task;
  try {
    const verdict = await verifier.verify(item, response);
    if (verdict.outcome === "void" || (verdict.score >= 0 && verdict.score <= 1)) return verdict;
    return { outcome: "void", reason: `verifier "${verifier.name}" gave the score ${verdict.score}` };
  } catch (error) {
    if (isWhetstoneError(error) && error.code === "verifier-failed") throw error;
    return { outcome: "void", reason: `verifier "${verifier.name}" failed: ${messageOf(error)}` };
  }
}

/** Who says what is true: the task's stricter verifier where it has one, for guards and meters alone. */
export function truthOf({
  verifier,
  truth = verifier,
}: Pick<Task, "verifier" | "truth">): Pick<Task, "verifier"> {
  return { verifier: truth };
}
