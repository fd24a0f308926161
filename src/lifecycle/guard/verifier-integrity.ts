import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard, StepEvidence } from "../../foundation/contract/index.ts";
import {
  exactInterval,
  filterIntegrity,
  filterLimits,
  type KeptCounts,
  shareOf,
} from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, type Finding, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /**
   * Fewest answers of known truth that anything is said of. Of who keeps and imitates: so many right ones, or so many wrong ones. Of
   * who follows a policy gradient: so many wrong ones, and so many right ones or none at all.
   */
  least: z.number().int().min(1).default(20),
  action: actionSchema.default("stop"),
});
export type VerifierIntegrityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Whether the reward can be learnt from (arXiv 2406.07515). φ is the share of right answers that it keeps, ψ of wrong ones, on
 * answers of known truth, with exact 95 % intervals: the model's own, where the task's truth is another than the reward. Where it
 * gave no right one, or no wrong one, the planted ones stand in if the reward is external, and else the share may be anything,
 * [0, 1]. Who keeps and imitates stops when the share p of wrong answers may reach p* = φ/(φ+ψ): more wrong than right would be
 * kept. Who follows a policy gradient, when φ − ψ may be 0 or less. Where the truth of the model's own answers is the reward
 * itself, p cannot be known: "not measurable".
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
    const { right, rightKept, wrong, wrongKept } = training;
    // Where nothing is kept, nothing wrong is learnt.
    if (rightKept + wrongKept === 0) return silent(tooFew(training));
    const known = knownTruth(evidence, training);
    const limits = filterLimits(
      exactInterval(known.rightKept, known.right),
      exactInterval(known.wrongKept, known.wrong),
    );
    const kept = [keptWords(training), ...unseenWords(training, known)].join("; ");
    if (learnsBy === "imitation") {
      const share = shareOf(wrong, right + wrong);
      if (share === null || Math.max(right, wrong) < least) return silent(tooFew(training));
      const breakdown = filterIntegrity(known)?.breakdown.value;
      const lowest = percent(limits.breakdown);
      const from =
        breakdown === undefined ? `at least ${lowest}` : `${percent(breakdown)} (at least ${lowest})`;
      const told = {
        evidence: `${kept}; ${percent(share.value)} of all are wrong (at most ${percent(share.interval.high)}), and more wrong than right ones are kept from ${from}`,
        value: share.value,
        threshold: limits.breakdown,
      };
      return share.interval.high >= limits.breakdown
        ? { ...answerBy(action), ...told }
        : { answer: "ok", ...told };
    }
    // Few wrong answers mislead nobody, and few right ones say too little of φ.
    if (wrong < least || (right > 0 && right < least)) return silent(tooFew(training));
    const telling = filterIntegrity(known)?.telling.value ?? null;
    const told = {
      evidence: `${kept}: φ − ψ is ${telling === null ? "" : `${telling.toFixed(2)}, `}at least ${limits.telling.toFixed(2)}`,
      value: telling,
      threshold: 0,
    };
    return limits.telling <= 0 ? { ...answerBy(action), ...told } : { answer: "ok", ...told };
  };
  return {
    name: "verifier integrity",
    definition: "The reward keeps right answers and drops wrong ones well enough to be learnt from.",
    description: { least, action },
    watch,
    // A policy gradient has few answers of its own in a step: it is judged by all of a round's. Planted ones are known at once.
    watchStep: (evidence) => {
      if (evidence.learnsBy === "imitation") return watch(evidence);
      const planted = plantedFinding(evidence);
      return planted === null
        ? silent("judged when the round has been made")
        : { ...answerBy(action), ...planted };
    },
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

/** The model's own answers; planted ones of a kind that it never gave, where what judges them is what rewards. */
function knownTruth({ planted, rewardOrigin }: StepEvidence, own: KeptCounts): KeptCounts {
  if (planted === null || rewardOrigin !== "external") return own;
  const phi = own.right > 0 ? own : planted;
  const psi = own.wrong > 0 ? own : planted;
  return { right: phi.right, rightKept: phi.rightKept, wrong: psi.wrong, wrongKept: psi.wrongKept };
}

function unseenWords(own: KeptCounts, known: KeptCounts): string[] {
  return (["right", "wrong"] as const).flatMap((kind) => {
    if (own[kind] > 0) return [];
    return [
      known[kind] > 0
        ? `none was ${kind}, and ${known[`${kind}Kept`]} of ${known[kind]} planted ${kind} ones are kept`
        : `none was ${kind}, so nothing is known of how many ${kind} ones are kept`,
    ];
  });
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
