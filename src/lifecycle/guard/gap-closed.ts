import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard, MeterReading } from "../../foundation/contract/index.ts";
import { keptGap } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /** Below this the gap counts as closed when its whole interval lies there. */
  least: z.number().positive().max(1).default(0.01),
  /** Rounds in a row, this one included, in which it must be. */
  rounds: z.number().int().min(1).default(3),
  action: actionSchema.default("stop"),
});
export type GapClosedOptions = Readonly<z.input<typeof optionsSchema>>;

/** As the meters call them. */
const gapMeter = "generation–verification gap";
const accuracyMeter = "accuracy";

/**
 * Nothing is left to learn from itself: what the reward keeps is no truer than what was written, in several rounds in a row, and
 * over these rounds accuracy has not been shown to rise (arXiv 2412.02674: the gap is what a round can gain), nor was one of them
 * promoted, which shows it too. The first two by 95 % intervals. Who follows a policy gradient or preferences learns from
 * differences of reward, and is not judged.
 *
 * @example
 * defineRun({ task: reverse(), guard: [gapClosed({ rounds: 2 })] });
 */
export function gapClosed(options: GapClosedOptions = {}): Guard {
  const { least, rounds, action } = readOptions("gapClosed()", optionsSchema, options);
  return {
    name: "gap closed",
    definition:
      "What the reward keeps is truer than what was written, or accuracy still rises: something is left to learn.",
    description: { least, rounds, action },
    watch: ({ round, training, history, promotions, validation, learnsBy }) => {
      if (learnsBy !== "imitation")
        return silent("nothing that is kept is imitated, and the gap says nothing of what may be learnt");
      const gap = training === null ? null : keptGap(training);
      if (gap === null) return silent("no label was kept");
      const earlier = history.slice(-(rounds - 1) || history.length);
      const before = rounds === 1 ? [] : earlier;
      const evidence = `the gap is ${(100 * gap.value).toFixed(1)} points (95 % interval ${(100 * gap.interval.low).toFixed(1)} to ${(100 * gap.interval.high).toFixed(1)})`;
      const told = { value: gap.value, threshold: least };
      const closed =
        gap.interval.high < least &&
        before.length >= rounds - 1 &&
        before.every((readings) => (read(readings, gapMeter)?.interval?.high ?? 1) < least);
      const first = before[0] === undefined ? undefined : read(before[0], accuracyMeter)?.interval;
      const rises =
        (first !== undefined && validation.interval.low > first.high) ||
        promotions.some((promoted) => promoted > round - rounds);
      if (!closed || rises) return { answer: "ok", evidence, ...told };
      return {
        ...answerBy(action),
        evidence: `${evidence}, closed in ${rounds} rounds in which accuracy was not shown to rise and none was promoted: nothing is left to learn from itself`,
        ...told,
      };
    },
  };
}

function read(readings: readonly MeterReading[], name: string): MeterReading | undefined {
  return readings.find(({ meter }) => meter === name);
}
