import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { averaged, measures } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /** Nats a token that the candidate may be away from the base. */
  budget: z.number().positive().default(3),
  action: actionSchema.default("roll-back"),
});
export type DriftOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A budget of KL from the base model, on fixed prompts: E log π(y) − log π_base(y) over sampled answers, a token. Warns when the
 * estimate is beyond it, acts when the whole 95 % interval is; the next round then learns at half the rate.
 *
 * @example
 * defineRun({ task: reverse(), guard: [drift({ budget: 0.5, action: "lower-learning-rate" })] });
 */
export function drift(options: DriftOptions = {}): Guard {
  const { budget, action } = readOptions("drift()", optionsSchema, options);
  return {
    name: "drift",
    definition: "The policy stays within a budget of KL from the base model, on fixed prompts.",
    description: { budget, action },
    watch: ({ attempts }) => {
      const found = attempts === null ? null : averaged(attempts.candidate, measures.drift);
      if (found === null) return silent("no attempts were made");
      const { mean, interval } = found;
      const evidence = `${mean.toFixed(2)} nats a token from the base (95 % interval ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}); the budget is ${budget}`;
      const told = { evidence, value: mean, threshold: budget };
      if (mean <= budget) return { answer: "ok", ...told };
      return interval.low > budget
        ? { ...answerBy(action, "lower-learning-rate"), ...told }
        : { answer: "warn", ...told };
    },
  };
}
