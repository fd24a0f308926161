import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type GuardFinding,
  type MeterReading,
  type RunDefinition,
  type RunEvent,
  run,
  type StoredEvent,
} from "whetstone";
import type { PlantedFault } from "./planted-fault.ts";

/** One round of a run as its guards saw it. */
export interface PlayedRound {
  readonly round: number;
  readonly readings: readonly MeterReading[];
  readonly findings: readonly GuardFinding[];
  readonly decision: string;
  readonly promoted: boolean;
}

/** Played to the end of its budget, or as far as a guard let it. */
export interface Played {
  /** The base's accuracy, and what was read of its attempts. */
  readonly base: readonly MeterReading[];
  readonly rounds: readonly PlayedRound[];
  readonly outcome: string;
  readonly events: readonly RunEvent[];
  /** The same, as they lie in the ledger. */
  readonly stored: readonly StoredEvent[];
}

/** Plays a run in a folder that is gone afterwards. */
export async function play(definition: RunDefinition): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-guards-"));
  try {
    const { events: stored, outcome } = await run(definition, { folder });
    const events = stored.map(({ event }) => event);
    const readingsIn = (round: number): readonly MeterReading[] =>
      events.flatMap((event) =>
        event.type === "meters-read" && event.round === round ? event.readings : [],
      );
    const rounds = events.flatMap((event): PlayedRound[] => {
      if (event.type !== "guards-spoke") return [];
      const { round, findings } = event;
      const decided = events.find((other) => other.type === "decision-made" && other.round === round);
      return [
        {
          round,
          findings,
          readings: readingsIn(round),
          decision: decided?.type === "decision-made" ? decided.decision.decision : "none",
          promoted: events.some((other) => other.type === "candidate-promoted" && other.round === round),
        },
      ];
    });
    const measured = events.flatMap((event): MeterReading[] =>
      event.type === "validation-measured" && event.who === "base"
        ? [{ meter: "accuracy", unit: "share", value: event.measurement.mean }]
        : [],
    );
    return { base: [...measured, ...readingsIn(0)], rounds, outcome, events, stored };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A guard acts: what was found ends here. */
export function acts({ answer }: GuardFinding): boolean {
  return answer === "stop" || answer === "roll-back";
}

/** Whether a finding is what a fault is to come to: any guard acts or, where it is only warned of, a guard that is to find it does that. */
export function finds({ answers, caughtBy }: PlantedFault): (finding: GuardFinding) => boolean {
  return (finding) =>
    acts(finding) || (answers?.includes(finding.answer) === true && caughtBy.includes(finding.guard));
}

/** The guards whose findings were first such that they count, and in which round; null where none did. */
export function firstAct(
  { rounds }: Pick<Played, "rounds">,
  counts: (finding: GuardFinding) => boolean = acts,
): { readonly round: number; readonly guards: string[] } | null {
  for (const { round, findings } of rounds) {
    const acting = findings.filter(counts);
    if (acting.length > 0) return { round, guards: acting.map(({ guard }) => guard) };
  }
  return null;
}
