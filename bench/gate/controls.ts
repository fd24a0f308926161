import { openGate } from "whetstone";
import {
  forgetsOpenings,
  type Gate,
  leavesVoidsOut,
  neverPromotes,
  peeks,
  takesReusedForFresh,
} from "./gates.ts";
import type { NullCase } from "./null-case.ts";
import { correlatedSamples, reusedLearning, selectiveVoids, zeroEffect } from "./null-cases.ts";

/** A gate that is wrong, and the null case that finds it out; null where it is never wrong to promote, and never promotes. */
export interface Control {
  readonly gate: Gate;
  readonly case: NullCase | null;
}

export const controls: Readonly<Record<string, Control>> = {
  "never promotes": { gate: neverPromotes, case: null },
  "peeks with a fixed-size test": { gate: peeks, case: zeroEffect },
  "spends α anew at each opening": { gate: forgetsOpenings, case: zeroEffect },
  "leaves void pairs out": { gate: leavesVoidsOut, case: selectiveVoids },
  "takes samples for items": { gate: openGate, case: correlatedSamples({ averaged: false }) },
  "takes reused items for fresh ones": { gate: takesReusedForFresh, case: reusedLearning },
};
