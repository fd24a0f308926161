import type { Guard, GuardFinding, RunConfig, RunDefinition } from "whetstone";

export interface FaultLine {
  readonly meter: string;
  readonly label: string;
  readonly whole?: number;
}

/** A run that is made to go wrong. */
export interface PlantedFault {
  readonly name: string;
  /** What is wrong with it, and what it looks like. */
  readonly story: string;
  /** The guards that are to find it: one of them must. */
  readonly caughtBy: readonly string[];
  /** By which of these answers; by a stop or a roll-back if left out. */
  readonly answers?: readonly GuardFinding["answer"][];
  /** Rounds within which they must. */
  readonly within: number;
  /** The guard that it is about, to be watched by it alone: others would speak before it. All of a run's if left out. */
  readonly alone?: Guard;
  /** What shows it, drawn over rounds: meters, each divided by what is all of it. Without them no picture is drawn. */
  readonly lines?: readonly FaultLine[];
  readonly define: (options: FaultOptions) => RunDefinition;
}

/** One that the docs draw. */
export type DrawnFault = PlantedFault & Required<Pick<PlantedFault, "lines">>;

export function isDrawn(fault: PlantedFault): fault is DrawnFault {
  return fault.lines !== undefined;
}

export interface FaultOptions {
  readonly seed: number;
  readonly guards: Guarding;
}

/** The guards of a run; without the field it has those that every run has by default. */
export type Guarding = Pick<RunConfig, "guard">;

/** Decisions are made by the gate alone. */
export const unguarded: Guarding = { guard: [] };
export const byDefaults: Guarding = {};

/** As the fault is to be found: by the guard that it is about, or by all that a run has. */
export function byItsOwn({ alone }: Pick<PlantedFault, "alone">): Guarding {
  return alone === undefined ? byDefaults : { guard: [alone] };
}
