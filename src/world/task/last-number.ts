import type { Verifier } from "../../foundation/contract/index.ts";
import { right, wrong } from "./exact-answer.ts";

/** A sign counts where no number or word stands before it; commas part thousands. */
const numbers = /(?<![\d\w.)])[-−+]\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?/g;

/** Score 1 for a complete response whose last number is the result, else 0. The result is worked out from the prompt. */
export function lastNumber(solve: (prompt: string) => number): Verifier {
  return {
    name: "last number",
    version: 1,
    verify: ({ prompt }, { text, complete }) => {
      const last = text.match(numbers)?.at(-1);
      if (!complete || last === undefined) return wrong;
      return Number(last.replaceAll(",", "").replace("−", "-")) === solve(prompt) ? right : wrong;
    },
  };
}
