import type { SeedSpread } from "../../loop/run.ts";
import { alignedRows } from "./aligned-rows.ts";
import { cleanText } from "./terminal/display-width.ts";
import { percent, plural, signedPoints } from "./words.ts";

/** What runs under several seeds came to, in plain lines. */
export function seedSpreadWords({ name, runs, gain, accuracy, frontier }: SeedSpread): string[] {
  const { mean, interval, deviation, least, most } = gain;
  const rows = runs.map((run) => [
    String(run.seed),
    String(run.rounds),
    run.championRound === 0 ? "base" : `round ${run.championRound}`,
    signedPoints(run.gain),
    percent(run.accuracy),
    ...(frontier === null ? [] : [String(run.frontier)]),
    cleanText(run.folder),
  ]);
  const header = [
    "seed",
    "rounds",
    "champion",
    "gain",
    "accuracy",
    ...(frontier === null ? [] : ["frontier"]),
    "folder",
  ];
  const points = (value: number): string => (100 * value).toFixed(1);
  return [
    `${cleanText(name)} under ${plural(runs.length, "seed")}: ${signedPoints(mean)} points on audit items (95 % interval over seeds ${signedPoints(interval.low)} to ${signedPoints(interval.high)})`,
    "",
    ...alignedRows([header, ...rows], header.length - 1),
    "",
    `A run's gain differs by ${points(deviation)} points from seed to seed (standard deviation), from ${signedPoints(least)} to ${signedPoints(most)}; its accuracy on validation items by ${points(accuracy.deviation)}, from ${percent(accuracy.least)} to ${percent(accuracy.most)}${frontier === null ? "" : `; its frontier by ${frontier.deviation.toFixed(1)}, from ${frontier.least} to ${frontier.most}`}.`,
    ...(runs.some(({ championRound }) => championRound === 0)
      ? ["Where the base is the champion still, nothing was gained: that counts as 0."]
      : []),
  ];
}
