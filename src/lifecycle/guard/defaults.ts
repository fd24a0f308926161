import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { labelAccuracy } from "./label-accuracy.ts";
import { logprobMismatch } from "./logprob-mismatch.ts";
import { samplerFreshness } from "./sampler-freshness.ts";

/**
 * The guards of a run that names none.
 *
 * @example
 * defineRun({ task: reverse(), guard: [...defaults()] });
 */
export function defaults(options: NoOptions = {}): readonly Guard[] {
  refuseOptions("defaults()", options);
  return [logprobMismatch(), samplerFreshness(), labelAccuracy()];
}
