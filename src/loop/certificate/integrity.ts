import type { StepEvidence } from "../../foundation/contract/index.ts";
import { type Estimate, filterIntegrity, shareOf } from "../../foundation/statistics/index.ts";
import type { Decided, RewardIntegrity } from "./schema.ts";

/** How far verifier and reward can be believed, by what the guards were shown: nothing is judged again. */
export function integrityOf(evidence: StepEvidence): Decided["integrity"] {
  const { planted, training } = evidence;
  const judged = training?.keptJudged ?? 0;
  return {
    planted:
      planted === null
        ? null
        : {
            right: { kept: planted.rightKept, of: planted.right },
            wrong: { kept: planted.wrongKept, of: planted.wrong },
          },
    labels: training === null || judged === 0 ? null : { judged, right: training.keptRight },
    reward: rewardIntegrity(evidence),
  };
}

function rewardIntegrity({ learnsBy, training }: StepEvidence): RewardIntegrity {
  const circular = training?.circular === true;
  const answers =
    training === null || circular || training.right + training.wrong === 0
      ? null
      : {
          right: { kept: training.rightKept, of: training.right },
          wrong: { kept: training.wrongKept, of: training.wrong },
        };
  return { learnsBy, circular, answers, ...sharesOf(answers) };
}

/** φ, ψ, p and p*, from the answers that are counted: for the certificate, and for whoever checks it. */
export function sharesOf(
  answers: RewardIntegrity["answers"],
): Pick<RewardIntegrity, "phi" | "psi" | "wrong" | "breakdown"> {
  if (answers === null) return { phi: null, psi: null, wrong: null, breakdown: null };
  const { right, wrong } = answers;
  const counts = { right: right.of, rightKept: right.kept, wrong: wrong.of, wrongKept: wrong.kept };
  return {
    phi: share(shareOf(right.kept, right.of)),
    psi: share(shareOf(wrong.kept, wrong.of)),
    wrong: share(shareOf(wrong.of, right.of + wrong.of)),
    breakdown: filterIntegrity(counts)?.breakdown ?? null,
  };
}

function share(estimate: Estimate | null): RewardIntegrity["phi"] {
  if (estimate === null) return null;
  const { value, interval } = estimate;
  return { value, low: interval.low, high: interval.high };
}
