import type { Baseline, BaselineName } from "../../foundation/contract/index.ts";
import type { RunStory } from "./story.ts";
import { percent, plural, signedPoints } from "./words.ts";

const names: Readonly<Record<BaselineName, string>> = {
  "best-of-n": "the base with many answers",
  supervised: "supervised on external data only",
  "permuted-rewards": "permuted rewards",
};

export function baselineName({ baseline }: Pick<Baseline, "baseline">): string {
  return names[baseline];
}

/** What a baseline says of the run, as far as the intervals do; undefined where there is none. */
export function baselineVerdict({ baseline, measured }: Baseline): string | undefined {
  if (measured === null) return undefined;
  const { ahead, overBase, own } = measured;
  const gained = (gain: typeof overBase): boolean => gain.interval.low > 0;
  const ofReward = baseline === "permuted-rewards";
  if (gained(ahead))
    return ofReward
      ? "the run's own gained more: its gain is from the reward"
      : "the run's own is better at the same compute";
  if (ahead.interval.high < 0)
    return ofReward
      ? "permuted rewards gained more: the gain is not from the reward"
      : "better than the run's own at the same compute";
  if (!gained(own.overBase) && !gained(overBase)) return "neither is shown to be better than the base";
  if (ofReward && gained(overBase)) return "permuted rewards gained as much: the gain is not from the reward";
  return "no difference is shown";
}

/** Whose weights the run is compared by, and with how much compute. */
export function comparedWords({ at: { round, share }, measured }: Baseline): string {
  const of = `the compute of ${round === 1 ? "the first round" : `the first ${round} rounds`}, ${percent(share, 0)} of the run's`;
  if (measured === null || measured.own.promoted) return of;
  return `${of}, when nothing was promoted yet`;
}

/** `34.0 % (31.0 to 37.1)`. */
export function accuracyWords({ mean, interval }: NonNullable<Baseline["measured"]>["measurement"]): string {
  return `${percent(mean)} (${(100 * interval.low).toFixed(1)} to ${(100 * interval.high).toFixed(1)})`;
}

/** A baseline in one line. */
export function baselineLine(baseline: Baseline): string {
  const { measured, text } = baseline;
  const name = baselineName(baseline);
  if (measured === null) return `${name}: none: ${text}`;
  const { measurement, own, ahead } = measured;
  return `${name}: ${accuracyWords(measurement)}, the run's own ${accuracyWords(own.measurement)}, ${signedPoints(ahead.mean)} points: ${baselineVerdict(baseline)}`;
}

/** All of them, for the last words of a run; none where it is too early to tell. */
export function baselinesWords({
  baselines: { plan, leftOut, measured },
}: Pick<RunStory, "baselines">): string[] {
  const byMode = [...Map.groupBy(measured, ({ mode }) => mode).values()];
  return [
    ...(plan?.mode === "off" && measured.length === 0 ? [`none: ${plan.reason}`] : []),
    ...byMode.flatMap(([first, ...rest]) => {
      if (first === undefined) return [];
      const all = [first, ...rest];
      return [
        `on validation items, at ${comparedWords(all.find((one) => one.measured !== null) ?? first)}`,
        ...all.map(baselineLine),
      ];
    }),
    ...(leftOut === null
      ? []
      : [
          `${measured.length === 0 ? "left out" : `the others were left out, after ${plural(measured.length, "baseline")}`}: ${leftOut}`,
        ]),
  ];
}
