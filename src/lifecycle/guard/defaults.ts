import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { diversityCollapse } from "./diversity-collapse.ts";
import { drift } from "./drift.ts";
import { gapClosed } from "./gap-closed.ts";
import { itemIdentity } from "./item-identity.ts";
import { labelAccuracy } from "./label-accuracy.ts";
import { learnableProposals } from "./learnable-proposals.ts";
import { lengthDrift } from "./length-drift.ts";
import { logprobMismatch } from "./logprob-mismatch.ts";
import { majorityLockIn } from "./majority-lock-in.ts";
import { realDataFloor } from "./real-data-floor.ts";
import { rewardHacking } from "./reward-hacking.ts";
import { samplerFreshness } from "./sampler-freshness.ts";
import { verifierIntegrity } from "./verifier-integrity.ts";

/**
 * The guards of a run that names none.
 *
 * @example
 * defineRun({ task: reverse(), guard: [...defaults()] });
 */
export function defaults(options: NoOptions = {}): readonly Guard[] {
  refuseOptions("defaults()", options);
  return [
    logprobMismatch(),
    samplerFreshness(),
    itemIdentity(),
    verifierIntegrity(),
    labelAccuracy(),
    rewardHacking(),
    diversityCollapse(),
    majorityLockIn(),
    drift(),
    lengthDrift(),
    realDataFloor(),
    gapClosed(),
    learnableProposals(),
  ];
}
