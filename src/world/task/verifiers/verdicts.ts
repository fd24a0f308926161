import type { Verdict } from "../../../foundation/contract/index.ts";

export const right: Verdict = { outcome: "scored", score: 1 };
export const wrong: Verdict = { outcome: "scored", score: 0 };
