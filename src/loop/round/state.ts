import { z } from "zod";
import type {
  Decision,
  GuardFinding,
  StepEvidence,
  ValidationMeasurement,
} from "../../foundation/contract/index.ts";
import { noRemedies, type Remedies } from "../../gro/update/index.ts";
import { leadingFinding, stoppedWords } from "../../lifecycle/guard/index.ts";
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
  /** Artifacts of what the method keeps from round to round, by name. */
  buffers: z.record(z.string(), z.string()).optional(),
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
  /** Candidates that the gate would promote and of whom a person is asked, while rounds go on from the champion; oldest first. */
  readonly waiting: readonly WaitingPromotion[];
}

/** A promotion that a person has not answered yet. */
export interface WaitingPromotion {
  readonly round: number;
  readonly candidate: Lineage;
  readonly validation: ValidationMeasurement;
  /** The champion that it was compared with. */
  readonly champion: Lineage;
  /** What the gate said. */
  readonly decision: Decision;
  readonly evidence: StepEvidence;
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
    waiting: [],
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
    waiting: [],
  };
}

/** After a person approved a candidate that had waited: the next round starts from it. */
export function crowned(state: RunState, { lineage, validation }: Crowned): RunState {
  return { ...rolledBack(state, { lineage, validation }), stopped: state.stopped };
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
  readonly evidence: StepEvidence;
  readonly definition: RunDefinition;
}

/**
 * Where a round leaves the run. A rejected candidate is gone on from, at most three times in a row, unless it was rolled back
 * or the run says otherwise; a gate that observes gives none up, and no guard stops it.
 */
export function nextState(before: RunState, outcome: RoundOutcome): RunState {
  const { candidate, validation, findings, decision, evidence, definition } = outcome;
  const round = before.round + 1;
  const asked = decision.decision === "ask";
  const remedies = decision.acted || asked ? remediesAfter(before.remedies, findings) : before.remedies;
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
  if (asked) {
    const { champion } = before;
    const waiting = [...before.waiting, { round, candidate, validation, champion, decision, evidence }];
    return { ...fromChampion(before), round, remedies, waiting };
  }
  if (!decision.acted) return { ...before, round, candidate, rejections: 0, frontier };
  const stopping = leadingFinding(findings, "stop");
  const stopped = stopping === undefined ? null : stoppedWords(stopping);
  const rejections = before.rejections + 1;
  const givenUp =
    decision.decision === "roll-back" ||
    definition.afterReject === "champion" ||
    rejections > candidatesInARow;
  if (givenUp) return { ...fromChampion(before), round, stopped, remedies };
  return { ...before, round, candidate, rejections, frontier, stopped, remedies };
}

/** The next round starts from the champion. */
function fromChampion(state: RunState): RunState {
  return { ...state, candidate: null, rejections: 0, frontier: state.championValidation.frontier90 };
}
