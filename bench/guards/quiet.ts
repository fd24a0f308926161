import type { HealthyRun } from "./healthy.ts";
import { type Played, play } from "./play.ts";

/** What guards said in runs in which nothing is wrong. */
export interface Quiet {
  readonly runs: number;
  /** Runs that were stopped, and rounds that were rolled back. */
  readonly stops: number;
  readonly rollbacks: number;
  readonly guardRounds: number;
  /** Warnings of each guard. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** Plays each run with so many seeds. */
export async function listen(
  runs: readonly HealthyRun[],
  seeds: readonly number[],
  heard: (name: string, seed: number, played: Played) => void = () => {},
): Promise<Quiet> {
  const total = { runs: 0, stops: 0, rollbacks: 0, guardRounds: 0, warnings: {} as Record<string, number> };
  for (const { name, define } of runs)
    for (const seed of seeds) {
      const played = await play(define(seed));
      heard(name, seed, played);
      const findings = played.rounds.flatMap((round) => round.findings);
      total.runs += 1;
      total.stops += findings.some(({ answer }) => answer === "stop") ? 1 : 0;
      total.rollbacks += findings.filter(({ answer }) => answer === "roll-back").length;
      total.guardRounds += findings.length;
      for (const { guard, answer } of findings)
        if (answer === "warn") total.warnings[guard] = (total.warnings[guard] ?? 0) + 1;
    }
  return total;
}

export function together(one: Quiet, other: Quiet): Quiet {
  const names = new Set([...Object.keys(one.warnings), ...Object.keys(other.warnings)]);
  return {
    runs: one.runs + other.runs,
    stops: one.stops + other.stops,
    rollbacks: one.rollbacks + other.rollbacks,
    guardRounds: one.guardRounds + other.guardRounds,
    warnings: Object.fromEntries(
      [...names].map((name) => [name, (one.warnings[name] ?? 0) + (other.warnings[name] ?? 0)]),
    ),
  };
}

export function warningShare({ guardRounds, warnings }: Quiet): number {
  const count = Object.values(warnings).reduce((sum, one) => sum + one, 0);
  return guardRounds === 0 ? 0 : count / guardRounds;
}
