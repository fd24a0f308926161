import { readOptions, valueWith } from "../../../foundation/base/index.ts";
import type { Task } from "../../../foundation/contract/index.ts";
import {
  anyTextScored,
  canariesPass,
  charactersCover,
  cutOffScoresNothing,
  demonstrationsRight,
  maxTokensSuffice,
} from "./answers.ts";
import type { CheckOfTask, TaskCheck } from "./check.ts";
import { canonicalStable, declares, enumerable, inStratum, repeatable, spread } from "./items.ts";
import { listed } from "./listed.ts";

const checks = {
  "name, version, scale and strata make sense": declares,
  "one stream gives the same items and demonstrations": repeatable,
  "items stay in their stratum": inStratum,
  "a canonical form is stable": canonicalStable,
  "enumerated strata list what can be drawn": enumerable,
  "listed strata list what can be drawn, and what each split holds": listed,
  "other strata are as large as they say": spread,
  "the verifier passes its canaries": canariesPass,
  "demonstrations are right": demonstrationsRight,
  "an answer cut off by the token limit scores nothing": cutOffScoresNothing,
  "maxTokens suffices for every demonstration": maxTokensSuffice,
  "characters cover prompts and demonstrations": charactersCover,
  "any text is scored, always the same way": anyTextScored,
} satisfies Record<string, CheckOfTask>;

const subject = valueWith<Task>("verifier", "expected a task, such as reverse()");

/**
 * What every task promises, as tests for any test runner. Each takes well under a second for a task of single prompts
 * and answers, and draws from streams of its own, so that it always gives the same result.
 *
 * @example
 * for (const { name, run } of taskChecks(reverse())) {
 *   await run(); // throws where the task breaks the promise
 *   console.log(name);
 * }
 */
export function taskChecks(task: Task): readonly TaskCheck[] {
  readOptions("taskChecks()", subject, task);
  return Object.entries(checks).map(([name, check]) => ({ name, run: async () => await check(task) }));
}
