import { dpo } from "./dpo.ts";
import type { ExactCase } from "./exact-case.ts";
import { grpo } from "./grpo.ts";
import { kto } from "./kto.ts";
import { ppo } from "./ppo.ts";

/** One file a case; its file in fixtures/ is written by a script in reference/. */
export const exactCases: readonly ExactCase[] = [grpo, ppo, dpo, kto];
