import type { GuardFinding } from "../../foundation/contract/index.ts";
import type { Finding } from "./finding.ts";

/**
 * Guards that act by default, in the order in which one explains the others: with a stale sampler logprobs differ too, and it is
 * the sampler that is to be mended.
 */
export const explainingOrder = [
  "item identity",
  "sampler freshness",
  "logprob mismatch",
  "verifier integrity",
  "label accuracy",
  "reward hacking",
  "majority lock-in",
  "diversity collapse",
  "drift",
  "gap closed",
  "learnable proposals",
] as const;

/** Of guards that act at once the one that is named for it, and the others. */
export interface Leading {
  readonly finding: GuardFinding;
  readonly also: readonly string[];
}

/**
 * Who is said to have stopped a run or taken a round back, of all that speak: of those that answer so, the first in the order
 * above, and of guards that are not in it the first that spoke. Undefined where none answers so.
 */
export function leadingFinding(
  findings: readonly GuardFinding[],
  answer: "stop" | "roll-back",
): Leading | undefined {
  const acting = findings.filter(acts);
  const [finding] = acting
    .filter((one) => one.answer === answer)
    .toSorted((one, other) => rankOf(one) - rankOf(other));
  if (finding === undefined) return undefined;
  const others = acting.flatMap(({ guard }) => (guard === finding.guard ? [] : [guard]));
  return { finding, also: [...new Set(others)] };
}

/** Whether a guard stops the run or takes the round back. */
export function acts({ answer }: Pick<Finding, "answer">): boolean {
  return answer === "stop" || answer === "roll-back";
}

/** `; also “logprob mismatch”`: whoever acted beside the one that is named. */
export function alsoWords(others: readonly string[]): string {
  return others.length === 0 ? "" : `; also “${others.join("”, “")}”`;
}

/** Who stopped a run, and why, in a line. */
export function stoppedWords({ finding: { guard, evidence }, also }: Leading): string {
  return `${guard}: ${evidence}${alsoWords(also)}`;
}

const ranks: readonly string[] = explainingOrder;

function rankOf({ guard }: GuardFinding): number {
  return ranks.includes(guard) ? ranks.indexOf(guard) : ranks.length;
}
