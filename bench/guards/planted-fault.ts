import type { GuardFinding, RunConfig, RunDefinition } from "whetstone";

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
  /** Without guards decisions are made by the gate alone. */
  readonly guarded: boolean;
}

/** All guards that a run has by default, or none. */
export function guards(guarded: boolean): Pick<RunConfig, "guard"> {
  return guarded ? {} : { guard: [] };
}
