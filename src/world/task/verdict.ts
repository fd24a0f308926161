import { messageOf, userError } from "../../foundation/base/index.ts";
import type { Item, Response, Task, Verdict } from "../../foundation/contract/index.ts";

/** The verifier's verdict; one that throws is a fault of infrastructure, and its verdict is void. */
export function verdictOf(task: Task, item: Item, response: Response): Verdict {
  try {
    return task.verifier.verify(item, response);
  } catch (error) {
    return { outcome: "void", reason: `the verifier failed: ${messageOf(error)}` };
  }
}

/**
 * Tests a task's verifier on answers of known truth before anything is learnt from it. Throws a user error `verifier-wrong`
 * that names the answer on which it errs.
 */
export function runCanaries(task: Task): void {
  const canaries = task.canaries();
  const right = canaries.filter((canary) => canary.right).length;
  if (right < 1 || canaries.length - right < 2)
    throw userError(
      "verifier-wrong",
      `${task.name} gives ${canaries.length} canaries; it needs a right and two wrong ones at least.`,
    );
  for (const { item, response, right: isRight } of canaries) {
    const verdict = verdictOf(task, item, response);
    const accepted = verdict.outcome === "scored" && verdict.score >= 1;
    if (verdict.outcome === "scored" && accepted === isRight) continue;
    const said =
      verdict.outcome === "void" ? `gave no verdict (${verdict.reason})` : accepted ? "accepted" : "refused";
    throw userError(
      "verifier-wrong",
      `The verifier of ${task.name} ${said} the ${isRight ? "right" : "wrong"} answer ${JSON.stringify(response.text)} to ${JSON.stringify(item.prompt)}: mend it before training on its word.`,
    );
  }
}
