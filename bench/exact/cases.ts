import type { ExactCase } from "./exact-case.ts";
import { grpo } from "./grpo.ts";
import { ppo } from "./ppo.ts";

/** One file a case; its file in fixtures/ is written by a script in reference/. */
export const exactCases: readonly ExactCase[] = [grpo, ppo];
