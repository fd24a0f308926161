import type { GuardFinding } from "whetstone";
import type { HealthyRun } from "./healthy.ts";
import { type Played, play } from "./play.ts";

/** What guards said in runs in which nothing is wrong. */
export interface Quiet {
  readonly runs: number;
  /** Runs that were stopped, and rounds that were rolled back. */
  readonly stops: number;
  readonly rollbacks: number;
  /** Rounds in which a guard had something to judge, by guard: what says nothing cannot be a false alarm. */
  readonly judged: Readonly<Record<string, number>>;
  /** Warnings of each guard. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** Plays each run with so many seeds. */
export async function listen(
  runs: readonly HealthyRun[],
  seeds: readonly number[],
  heard: (name: string, seed: number, played: Played) => void = () => {},
): Promise<Quiet> {
  const count = (): Record<string, number> => ({});
  const total = { runs: 0, stops: 0, rollbacks: 0, judged: count(), warnings: count() };
  for (const { name, define } of runs)
    for (const seed of seeds) {
      const played = await play(define(seed));
      heard(name, seed, played);
      const findings = played.rounds.flatMap((round) => round.findings);
      total.runs += 1;
      total.stops += findings.some(({ answer }) => answer === "stop") ? 1 : 0;
      total.rollbacks += findings.filter(({ answer }) => answer === "roll-back").length;
      for (const finding of findings) {
        if (judges(finding)) total.judged[finding.guard] = (total.judged[finding.guard] ?? 0) + 1;
        if (finding.answer === "warn")
          total.warnings[finding.guard] = (total.warnings[finding.guard] ?? 0) + 1;
      }
    }
  return total;
}

/** A guard that has nothing to judge says "ok" of no value. */
function judges({ answer, value }: GuardFinding): boolean {
  return answer !== "ok" || value !== null;
}

export function together(one: Quiet, other: Quiet): Quiet {
  return {
    runs: one.runs + other.runs,
    stops: one.stops + other.stops,
    rollbacks: one.rollbacks + other.rollbacks,
    judged: added(one.judged, other.judged),
    warnings: added(one.warnings, other.warnings),
  };
}

function added(one: Quiet["judged"], other: Quiet["judged"]): Quiet["judged"] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

/** Of all rounds in which some guard had something to judge, each counted for itself. */
export function warningShare({ judged, warnings }: Pick<Quiet, "judged" | "warnings">): number {
  const of = sumOf(judged);
  return of === 0 ? 0 : sumOf(warnings) / of;
}

function sumOf(counts: Quiet["judged"]): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0);
}
