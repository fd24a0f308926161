import type { Comparison, ContenderScore } from "../../loop/run.ts";
import { alignedRows } from "./aligned-rows.ts";
import { cleanText } from "./terminal/display-width.ts";
import { percent, plural, signedPoints, whole } from "./words.ts";

/**
 * What a comparison came to, in plain lines: who is better, by how much, in which parts, and what must be known before acting
 * on it.
 */
export function comparisonWords(
  { a, b, gain, better, sameWeights, items, strata, warning }: Comparison,
  [nameA, nameB]: readonly [string, string],
): string[] {
  const range = `95 % interval ${signedPoints(gain.interval.low)} to ${signedPoints(gain.interval.high)}, ${plural(gain.pairs, "pair")}`;
  const verdict = {
    a: `a is better: b gives ${signedPoints(gain.mean)} points`,
    b: `b is better: ${signedPoints(gain.mean)} points`,
    "not-shown": `No difference is shown: ${signedPoints(gain.mean)} points`,
  }[better];
  return [
    `${verdict} (${range})`,
    ...(sameWeights ? [sameWords(a.harness === b.harness)] : []),
    "",
    sideWords("a", nameA, a),
    sideWords("b", nameB, b),
    "",
    ...table(strata),
    "",
    `${whole(items)} audit items, answered by both; differences are b minus a on the same item.`,
    warning,
  ];
}

function sameWords(sameWay: boolean): string {
  return sameWay
    ? "a and b are the same weights and answer in the same way: there is nothing to compare."
    : "a and b are the same weights: what differs is how they answer.";
}

function sideWords(
  letter: string,
  given: string,
  { run, round, harness, measurement }: ContenderScore,
): string {
  const made = round === null ? "" : round === 0 ? ", the base" : `, round ${round}`;
  const whose = run === null ? "" : ` of ${run}${made}`;
  const { mean, interval } = measurement;
  return `${letter}  ${given}${whose}, ${harness}: ${percent(mean)} right (${percent(interval.low)} to ${percent(interval.high)})`;
}

/** A part that is not in the gain is marked. */
function table(strata: Comparison["strata"]): string[] {
  const rows = strata.map(({ stratum, gain, before, after, won, lost, counts }) => [
    `${cleanText(stratum)}${counts ? "" : " *"}`,
    whole(gain.pairs),
    percent(before),
    percent(after),
    signedPoints(gain.mean),
    `${signedPoints(gain.interval.low)} to ${signedPoints(gain.interval.high)}`,
    `${won}/${lost}`,
  ]);
  const header = ["part", "items", "a", "b", "b - a", "95 % interval", "won/lost"];
  const lines = alignedRows([header, ...rows], 0);
  const outside = strata.some(({ counts }) => !counts);
  return outside
    ? [...lines, "* not in the gain: outside the target distribution, or every item there is"]
    : lines;
}
