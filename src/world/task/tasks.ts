import type { Task } from "../../foundation/contract/index.ts";
import { addition } from "./addition.ts";
import { arithmetic } from "./arithmetic.ts";
import { copy } from "./copy.ts";
import { countdown } from "./countdown.ts";
import { parity } from "./parity.ts";
import { programs } from "./programs.ts";
import { reverse } from "./reverse.ts";

/** Names of the tasks that come with Whetstone. */
export type TaskName = "reverse" | "copy" | "addition" | "parity" | "arithmetic" | "countdown" | "programs";

/**
 * Makes each of them; with no options, at its defaults. A name without a factory does not compile. A task needs no twin in
 * memory, since it touches nothing else; `taskChecks` is the conformance kit.
 */
export const tasks = { reverse, copy, addition, parity, arithmetic, countdown, programs } satisfies Record<
  TaskName,
  () => Task
>;
