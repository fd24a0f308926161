import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard, StepEvidence } from "../../foundation/contract/index.ts";
import { filterIntegrity, type KeptCounts, shareOf } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, type Finding, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /** Fewest right, and fewest wrong, answers of known truth that anything is said of. */
  least: z.number().int().min(1).default(20),
  action: actionSchema.default("stop"),
});
export type VerifierIntegrityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Whether the reward can be learnt from (arXiv 2406.07515). φ is the share of right answers that it keeps, ψ of wrong ones, on
 * answers of known truth: the model's own, where the task's truth is another than the reward, and the planted ones, with exact
 * 95 % intervals. Who keeps and imitates stops when the share p of wrong answers may reach p* = φ/(φ+ψ): more wrong than right
 * would be kept. Who follows a policy gradient, when φ − ψ may be 0 or less. Where the truth of the model's own answers is the
 * reward itself, p cannot be known: "not measurable".
 *
 * @example
 * defineRun({ task: reverse(), guard: [verifierIntegrity({ least: 50 })] });
 */
export function verifierIntegrity(options: VerifierIntegrityOptions = {}): Guard {
  const { least, action } = readOptions("verifierIntegrity()", optionsSchema, options);
  const watch = (evidence: StepEvidence): Finding => {
    const planted = plantedFinding(evidence);
    if (planted !== null) return { ...answerBy(action), ...planted };
    const { training, learnsBy } = evidence;
    if (training === null || training.right + training.wrong === 0) return silent("no answer was judged");
    if (training.circular)
      return silent(
        `not measurable: the reward is the task's only judge of truth; ${plantedWords(evidence)}`,
      );
    const found = filterIntegrity(training);
    if (learnsBy === "imitation") {
      const wrong = shareOf(training.wrong, training.right + training.wrong);
      if (wrong === null || found === null || Math.max(training.right, training.wrong) < least)
        return silent(tooFew(training));
      const evidenceWords = `${keptWords(training)}; ${percent(wrong.value)} of all are wrong (at most ${percent(wrong.interval.high)}), and at ${percent(found.breakdown.value)} (at least ${percent(found.breakdown.low)}) more wrong than right ones are kept`;
      const told = { evidence: evidenceWords, value: wrong.value, threshold: found.breakdown.low };
      return wrong.interval.high >= found.breakdown.low
        ? { ...answerBy(action), ...told }
        : { answer: "ok", ...told };
    }
    if (found === null || Math.min(training.right, training.wrong) < least) return silent(tooFew(training));
    const { telling } = found;
    const told = {
      evidence: `${keptWords(training)}: φ − ψ is ${telling.value.toFixed(2)}, at least ${telling.low.toFixed(2)}`,
      value: telling.value,
      threshold: 0,
    };
    return telling.low <= 0 ? { ...answerBy(action), ...told } : { answer: "ok", ...told };
  };
  return {
    name: "verifier integrity",
    definition: "The reward keeps right answers and drops wrong ones well enough to be learnt from.",
    description: { least, action },
    watch,
    // A policy gradient has few answers in a step: it is judged by all of a round's.
    watchStep: (evidence) =>
      evidence.learnsBy === "imitation" ? watch(evidence) : silent("judged when the round has been made"),
  };
}

/** The planted answers were all judged rightly before the run: any that is not now is a fault. */
function plantedFinding({ planted }: StepEvidence): Omit<Finding, "answer"> | null {
  if (planted === null) return null;
  const { right, rightKept, wrong, wrongKept } = planted;
  const misjudged = right - rightKept + wrongKept;
  if (misjudged === 0) return null;
  return {
    evidence: `the verifier misjudges ${misjudged} of ${right + wrong} planted answers, which it judged rightly when the run began`,
    value: misjudged,
    threshold: 0,
  };
}

function plantedWords({ planted }: StepEvidence): string {
  return planted === null
    ? "no answers were planted"
    : `all of ${planted.right + planted.wrong} planted answers are judged rightly`;
}

function keptWords({ right, rightKept, wrong, wrongKept }: KeptCounts): string {
  return `${rightKept} of ${right} right answers kept, ${wrongKept} of ${wrong} wrong ones`;
}

function tooFew({ right, wrong }: KeptCounts): string {
  return `not measurable: ${right} right and ${wrong} wrong answers are too few`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
