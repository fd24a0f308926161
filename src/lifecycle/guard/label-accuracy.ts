import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { exactInterval } from "../../foundation/statistics/index.ts";

const optionsSchema = z.strictObject({
  /** Warns when the kept labels are right less often than this. */
  warnBelow: z.number().min(0).max(1).default(0.95),
});
export type LabelAccuracyOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Where the task has a verifier, what a run's own reward kept is checked against it, for this guard alone. A method that
 * keeps and imitates learns more wrong than right once less than half of what it keeps is right (arXiv 2406.07515): that
 * stops it, as soon as the exact 95 % interval says so. Policy gradients are not judged here.
 *
 * @example
 * defineRun({ task: reverse(), guard: [labelAccuracy({ warnBelow: 0.98 })] });
 */
export function labelAccuracy(options: LabelAccuracyOptions = {}): Guard {
  const { warnBelow } = readOptions("labelAccuracy()", optionsSchema, options);
  return {
    name: "label accuracy",
    definition: "More of the kept labels are right than wrong, by the task's verifier.",
    description: { warnBelow },
    watch: ({ training, learnsBy }) => {
      const silent = (evidence: string) =>
        ({ answer: "ok", evidence, value: null, threshold: null }) as const;
      if (learnsBy !== "imitation") return silent("a policy gradient keeps no labels");
      if (training === null || training.keptJudged === 0) return silent("no label was kept");
      const { keptRight, keptJudged } = training;
      const share = keptRight / keptJudged;
      const { low, high } = exactInterval(keptRight, keptJudged);
      const percent = (value: number): string => (100 * value).toFixed(1);
      const evidence = `${percent(share)} % of ${keptJudged} kept labels are right (95 % interval ${percent(low)}–${percent(high)})`;
      if (high <= 0.5) return { answer: "stop", evidence, value: share, threshold: 0.5 };
      return { answer: share < warnBelow ? "warn" : "ok", evidence, value: share, threshold: warnBelow };
    },
  };
}
