import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { averaged, contrast, measures } from "../../foundation/statistics/index.ts";
import { changeWords, type Finding, pointsWords, silent } from "./finding.ts";
import { referencesOf } from "./references.ts";

const optionsSchema = z.strictObject({
  /** How much longer responses may get, as a share of what they were. */
  longer: z.number().min(0).default(0.1),
});
export type LengthDriftOptions = Readonly<z.input<typeof optionsSchema>>;

/** Of the way from a mean to its lower 95 % limit, the part at which the one-sided 90 % limit lies: 1.282 of 1.960. */
const ninetyOf = 0.654;

/**
 * Responses to the same validation items lengthen, as the 95 % interval of the paired difference shows, while not even the one-sided 90 %
 * limit of their score's lies above 0 (a few dozen items show no rise of a few points at more): what a judge or a reward may like for
 * its length alone (arXiv 2401.10020). Warns, and never stops a run.
 *
 * @example
 * defineRun({ task: reverse(), guard: [lengthDrift({ longer: 0.2 })] });
 */
export function lengthDrift(options: LengthDriftOptions = {}): Guard {
  const { longer } = readOptions("lengthDrift()", optionsSchema, options);
  return {
    name: "length drift",
    definition: "Responses to the same items lengthen only where their score rises.",
    description: { longer },
    watch: ({ attempts }) => {
      if (attempts === null) return silent("no attempts were made");
      const found = referencesOf(attempts).map(({ name, attempts: before }): Finding => {
        const tokens = contrast(before, attempts.candidate, measures.tokens);
        const score = contrast(before, attempts.candidate, measures.passAtOne);
        const was = averaged(before, measures.tokens)?.mean;
        if (tokens === null || score === null || was === undefined) return silent("no attempt was judged");
        const allowed = longer * was;
        const rises = score.mean - ninetyOf * (score.mean - score.interval.low) > 0;
        const drifts = tokens.interval.low > allowed && !rises;
        return {
          answer: drifts ? "warn" : "ok",
          evidence: `against the ${name} ${changeWords(tokens, "tokens a response")} of ${was.toFixed(1)}, score ${pointsWords(score)}`,
          value: tokens.mean,
          threshold: allowed,
        };
      });
      return found.find(({ answer }) => answer === "warn") ?? found[0] ?? silent("nothing to compare");
    },
  };
}
