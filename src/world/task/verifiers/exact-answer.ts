import type { Verifier } from "../../../foundation/contract/index.ts";
import { right, wrong } from "./verdicts.ts";

/**
 * Score 1 for a complete response that is the answer, character by character with nothing trimmed, else 0. The answer
 * is worked out from the prompt, so a mistaken reference answer cannot mislead it.
 */
export function exactAnswer(solve: (prompt: string) => string): Verifier {
  return {
    name: "exact answer",
    version: 1,
    verify: (item, response) => (response.complete && response.text === solve(item.prompt) ? right : wrong),
  };
}
