import { z } from "zod";
import type { Decision, GuardFinding, ValidationMeasurement } from "../../foundation/contract/index.ts";
import { noRemedies, type Remedies } from "../../gro/update/index.ts";
import type { RunDefinition } from "./definition.ts";
import { remediesAfter } from "./remedies.ts";

/** Weights of all roles, and what they have learnt from: what a round can go on from. */
export const lineageSchema = z.object({
  /** The round that made them; 0 is the preparation. */
  round: z.number().int(),
  /** Checkpoint names by role. */
  checkpoints: z.record(z.string(), z.string()),
  /** Greatest difficulty trained so far. */
  trainedTo: z.number(),
  /** Artifacts of the rollouts that were kept and learnt from, oldest first. */
  rollouts: z.array(z.string()),
  /** Artifacts of the selections that were learnt from. */
  selections: z.array(z.string()),
});
export type Lineage = z.infer<typeof lineageSchema>;

/** What one round hands to the next: a function of the ledger's finished steps alone. */
export interface RunState {
  readonly round: number;
  readonly base: Lineage;
  readonly champion: Lineage;
  readonly championValidation: ValidationMeasurement;
  /** The last candidate, when it was not promoted and not given up. */
  readonly candidate: Lineage | null;
  /** Rejections since the champion was last the starting point. */
  readonly rejections: number;
  /** On validation items, of what the next round starts from; null when the least difficulty is not solved. */
  readonly frontier: number | null;
  readonly stopped: string | null;
  /** What guards have asked of the rounds to come. */
  readonly remedies: Remedies;
}

export function firstState(base: Lineage, validation: ValidationMeasurement): RunState {
  return {
    round: 0,
    base,
    champion: base,
    championValidation: validation,
    candidate: null,
    rejections: 0,
    frontier: validation.frontier90,
    stopped: null,
    remedies: noRemedies,
  };
}

/** A champion, with what it scored on validation items. */
export interface Crowned {
  readonly lineage: Lineage;
  readonly validation: ValidationMeasurement;
}

/** After a person took the champion back: whatever was tried since is given up, and what a guard stopped may go on. */
export function rolledBack(state: RunState, { lineage, validation }: Crowned): RunState {
  return {
    ...state,
    champion: lineage,
    championValidation: validation,
    candidate: null,
    rejections: 0,
    frontier: validation.frontier90,
    stopped: null,
  };
}

/** Which champion a round leaves behind is read off its decision alone. */
export function promoted(decision: Decision): boolean {
  return decision.acted && decision.decision === "promote";
}

/** Rejected candidates that rounds go on from before they return to the champion. */
const candidatesInARow = 3;

export function startingPoint(state: RunState): {
  readonly lineage: Lineage;
  readonly from: "base" | "champion" | "candidate";
} {
  if (state.candidate !== null) return { lineage: state.candidate, from: "candidate" };
  return { lineage: state.champion, from: state.champion === state.base ? "base" : "champion" };
}

export interface RoundOutcome {
  readonly candidate: Lineage;
  readonly validation: ValidationMeasurement;
  readonly findings: readonly GuardFinding[];
  readonly decision: Decision;
  readonly definition: RunDefinition;
}

/**
 * Where a round leaves the run. A rejected candidate is gone on from, at most three times in a row, unless it was rolled back
 * or the run says otherwise; a gate that observes gives none up, and no guard stops it.
 */
export function nextState(before: RunState, outcome: RoundOutcome): RunState {
  const { candidate, validation, findings, decision, definition } = outcome;
  const round = before.round + 1;
  const remedies = decision.acted ? remediesAfter(before.remedies, findings) : before.remedies;
  const frontier = validation.frontier90;
  if (promoted(decision))
    return {
      ...before,
      round,
      champion: candidate,
      championValidation: validation,
      candidate: null,
      rejections: 0,
      frontier,
      remedies,
    };
  if (!decision.acted) return { ...before, round, candidate, rejections: 0, frontier };
  const stopping = findings.find(({ answer }) => answer === "stop");
  const stopped = stopping === undefined ? null : `${stopping.guard}: ${stopping.evidence}`;
  const rejections = before.rejections + 1;
  const givenUp =
    decision.decision === "roll-back" ||
    definition.afterReject === "champion" ||
    rejections > candidatesInARow;
  if (givenUp)
    return {
      ...before,
      round,
      candidate: null,
      rejections: 0,
      frontier: before.championValidation.frontier90,
      stopped,
      remedies,
    };
  return { ...before, round, candidate, rejections, frontier, stopped, remedies };
}
