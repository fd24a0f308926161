import { compact, points } from "../../../foundation/statistics/index.ts";
import { budgetWords, twoFigures } from "../budget.ts";
import type { Plan, PlannedStage } from "./planned.ts";
import { tokensOf } from "./tokens.ts";

/** A plan for people. */
export function planLines(plan: Omit<Plan, "lines">): string[] {
  const { name, parameters, policies, preparation, round, end, rounds, gate, smallestGain: smallest } = plan;
  const models = policies === 1 ? "one model" : `${policies} models`;
  return [
    `${name}: ${models} of ${parameters.toLocaleString("en-US")} parameters, ${budgetWords({ rounds })}`,
    "",
    ...preparation.map((stage) => stageLine("once", stage)),
    ...round.map((stage) => stageLine(roundsWords(stage.rounds), stage)),
    ...end.map((stage) => stageLine("once", stage)),
    "",
    ...timeLines(plan),
    ...budgetLines(plan),
    `Memory   about ${size(plan.memoryBytes)} for all processes`,
    ...diskLines(plan),
    ...gateLines(gate, smallest),
    ...(plan.baselines.mode === "off" ? [`Baseline none: ${plan.baselines.reason}`] : []),
    `Verifier ${plan.canaries.right} known-right and ${plan.canaries.wrong} known-wrong answers judged rightly`,
  ];
}

function timeLines({ seconds, secondsBetween: [least, most], speed }: Omit<Plan, "lines">): string[] {
  const line = `Time     about ${duration(seconds)} at most, at the speed of ${speed}`;
  if (least === most) return [line];
  return [
    line,
    `         roughly: it may be ${duration(least)} to ${duration(most)} here; the first run will tell`,
  ];
}

/** Caps end a run before its rounds are spent; without any there is nothing to say of them. */
function budgetLines(plan: Omit<Plan, "lines">): string[] {
  const { budget, tokens, tokensBefore, tokensKeptBack: kept, leastTokens } = plan;
  const { rounds, ...caps } = budget;
  const words = budgetWords(caps);
  const ends = rounds === 0 ? "its preparation does" : "its first round does";
  return [
    `Tokens   about ${compact(tokens)} at most, ${compact(tokensBefore)} of them before the first round`,
    ...(words === "" ? [] : [`Budget   stops at ${words}`]),
    ...(budget.tokens === undefined || kept === 0
      ? []
      : [
          `         ${compact(kept)} tokens are kept back for the audits that say what was gained, counted at their longest`,
        ]),
    ...(budget.tokens === undefined || budget.tokens >= leastTokens
      ? []
      : [
          `         Warning: it may end before ${ends}; tokens=${twoFigures(leastTokens)} should have room for that`,
        ]),
  ];
}

function diskLines({ diskBytes, diskBytesEachRound, diskFreeBytes }: Omit<Plan, "lines">): string[] {
  const line = `Disk     about ${size(diskBytes)} of checkpoints, ${size(diskBytesEachRound)} in each round; ${size(diskFreeBytes)} are free`;
  if (diskBytes <= diskFreeBytes) return [line];
  return [
    line,
    `         Warning: they do not fit. Free ${size(diskBytes - diskFreeBytes)}, run fewer rounds, or delete what the run needs no more (docs/cli.md)`,
  ];
}

function gateLines(gate: Plan["gate"], smallest: Plan["smallestGain"]): string[] {
  if (smallest === null) return ["Gate     observes: decisions are recorded, nothing is promoted"];
  const shown = (gain: number | null): string => (gain === null ? "none" : points(gain));
  const beside =
    gate.measuredOnly.length === 0
      ? ""
      : `; only measured, and not decided by: ${gate.measuredOnly.join(", ")}`;
  if (gate.openings === 0)
    return ["Gate     all openings on these decision items are spent: nothing can be promoted any more"];
  const reuse = gate.reused
    ? [`         ${gate.pairs} decision items, used again at each of ${gate.openings} openings`]
    : [];
  return [
    `Gate     ${gate.strata.join(", ")}${beside}`,
    ...reuse,
    `         can show a gain of ${shown(smallest.first)} at the first opening, ${shown(smallest.last)} at the last`,
    "         (with a chance of 80 %, where the two models differ on a quarter of the items)",
    ...probeLines(gate),
  ];
}

/** Parts of the task that must not drop, and those that were too thin to be asked. */
function probeLines({ probes, thinProbes }: Plan["gate"]): string[] {
  const whole = probes.filter(({ exact }) => exact).map(({ stratum }) => stratum);
  const sampled = probes.filter(({ exact }) => !exact);
  return [
    ...(whole.length === 0 ? [] : [`         must not drop, measured whole: ${whole.join(", ")}`]),
    ...sampled.map(
      ({ stratum, pairs, needed }) =>
        `         must not drop: ${stratum}, shown by about ${needed} pairs where nothing is lost, of ${pairs}`,
    ),
    ...(thinProbes.length === 0
      ? []
      : [`         too thin to protect, and dropped: ${thinProbes.join(", ")}`]),
  ];
}

function roundsWords(rounds: PlannedStage["rounds"]): string {
  if (rounds === undefined) return "each round";
  const [first, last] = rounds;
  return first === last ? `round ${first}` : `rounds ${first}-${last}`;
}

function stageLine(when: string, stage: PlannedStage): string {
  const tokens = `${compact(tokensOf([stage]))} tokens`;
  return `${when.padEnd(11)} ${stage.stage.padEnd(8)} ${duration(stage.seconds).padStart(6)} ${tokens.padStart(14)}  ${stage.what}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e7) * 10} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
