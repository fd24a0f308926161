import { dpo } from "./dpo.ts";
import type { ExactCase } from "./exact-case.ts";
import { kto } from "./kto.ts";

/** One file a case; its file in fixtures/ is written by a script in reference/. */
export const exactCases: readonly ExactCase[] = [dpo, kto];
