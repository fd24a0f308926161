import { hashOf } from "../../foundation/base/index.ts";
import {
  type Decision,
  decisionSchema,
  type EventOf,
  type Gain,
  type GuardFinding,
  type Opening,
  type RunEvent,
} from "../../foundation/contract/index.ts";
import { decide, openGate, smallestWorth } from "../gate.ts";
import { dropWords, type Probed, type WholeStratum } from "../probes.ts";
import { leadCheckpoint, playStage, type RoundContext, shippedName } from "./context.ts";
import { askedFirst } from "./decide/asked-first.ts";
import { decisionItemsOf, planBlocks, reusedFact } from "./decide/block-parts.ts";
import { type AnsweredBlock, answeredBlocks, type BlocksRequest } from "./decide/blocks.ts";
import { type OpeningAnswers, storeEvidence } from "./decide/evidence.ts";
import { exactProbes, openProbes } from "./decide/open-probes.ts";
import { planProbes } from "./decide/probe-parts.ts";
import { openReused, whyNotReused } from "./decide/reused-opening.ts";
import { type Lineage, promoted } from "./state.ts";

/** The seed that draws a round's decision items: its hash is told before training, itself with the decision. */
export function decisionSeed(context: RoundContext, round: number): string {
  return hashOf({ seed: context.definition.seed, run: context.run.id, round, purpose: "decision" });
}

export interface DecideRequest {
  readonly findings: readonly GuardFinding[];
  /** Candidate against champion on validation items. */
  readonly gain: Gain | null;
  /** The same on strata of which every item was answered. */
  readonly whole?: readonly WholeStratum[];
  /** Why an opening would be wasted, whatever validation says (nothing was learnt, or the comparison is stale); null where it is not. */
  readonly idle?: string | null;
}

/** Candidate against champion on decision items; nothing but this promotes. */
export async function decideStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage,
  { findings, gain, whole = [], idle = null }: DecideRequest,
): Promise<Decision> {
  const observe = context.definition.gate.mode === "observe";
  const seed = decisionSeed(context, round);
  const stored = await playStage(context, {
    round,
    name: "decide",
    label: "candidate against champion",
    input: { candidate: shippedName(context, candidate), champion: shippedName(context, champion) },
    work: async (progress) => {
      const barred = !observe && findings.some(({ answer }) => answer === "stop" || answer === "roll-back");
      const asked = { round, candidate, champion, seed, progress };
      const { opening, obstacle, probed, answers } = await opened(context, {
        ...asked,
        barred,
        idle,
        gain,
        whole,
      });
      const taken = decide({ opening, obstacle, findings, probed, observe });
      const decision = askedFirst(context.definition, taken);
      const evidence =
        promoted(taken) && answers !== null
          ? { evidence: await storeEvidence(context.ledger.artifacts, answers) }
          : {};
      const [made, ...acted] = decisionEvents(context, round, candidate, decision);
      const events = [{ ...made, ...evidence }, ...acted];
      return { result: decision, summary: decision.reason, events };
    },
  });
  return decisionSchema.parse(stored);
}

/** What a decision is told as: itself, and, where it is acted on, what becomes of the candidate. */
export function decisionEvents(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  decision: Decision,
): [EventOf<"decision-made">, ...RunEvent[]] {
  const made = { type: "decision-made", round, decision, seed: decisionSeed(context, round) } as const;
  if (!decision.acted) return [made];
  const type = decision.decision === "promote" ? "candidate-promoted" : "candidate-rejected";
  return [made, { type, round, checkpoint: leadCheckpoint(context, candidate) }];
}

interface OpenRequest extends Pick<BlocksRequest, "round" | "candidate" | "champion" | "seed" | "progress"> {
  /** A guard keeps the gate shut. */
  readonly barred: boolean;
  readonly idle: string | null;
  readonly gain: Gain | null;
  readonly whole: readonly WholeStratum[];
}

interface Opened {
  readonly opening: Opening | null;
  readonly obstacle: string | null;
  readonly probed: Probed | null;
  /** What was answered; null where the gate stayed shut. */
  readonly answers: OpeningAnswers | null;
}

/** The round's opening, or why there is none. */
async function opened(
  context: RoundContext,
  { barred, idle, gain, whole, ...asked }: OpenRequest,
): Promise<Opened> {
  const { ledger, definition, run } = context;
  const { task, gate } = definition;
  const { alpha, cap, reusedOpenings } = gate;
  const items = decisionItemsOf(task);
  const reusedBefore = { reusedBefore: ledger.getFact(reusedFact(items)) === true };
  const plan = planBlocks(task, gate, reusedBefore);
  const { probes } = planProbes(task, gate, reusedBefore);
  const exact = exactProbes(probes, whole);
  const shut = (obstacle: string | null): Opened => ({
    opening: null,
    obstacle,
    probed: exact,
    answers: null,
  });
  if ("obstacle" in plan) return shut(plan.obstacle);
  if (barred) return shut(null);
  if (idle !== null) return shut(idle);
  // A loss that is known already needs no decision item to be rejected by.
  if (!exact.kept && gate.mode === "decide")
    return shut(
      exact.results
        .filter(({ outcome }) => outcome === "dropped")
        .map(dropWords)
        .join("; "),
    );
  const place = { round: asked.round, items, owner: `${run.id}/round-${asked.round}`, plan };
  const blocks: AnsweredBlock[] = [];
  const next = answeredBlocks(context, { ...asked, ...place });
  const open = (): Promise<Opening> =>
    openGate({
      opening: ledger.openingNumber(items, place.owner),
      options: { alpha, cap, reusedOpenings, smallestGain: smallestWorth(gate, plan.reused) },
      reused: plan.reused,
      nextBlocks: async (count) => {
        const answered = await next(count);
        blocks.push(...answered);
        return answered;
      },
    });
  const obstacle = plan.reused && gain !== null ? whyNotReused(context, place, gain) : null;
  if (obstacle !== null) return shut(obstacle);
  const opening = plan.reused ? await openReused(context, place, open) : await open();
  // On reused items nobody may learn which of the two it was: probes are answered either way.
  const needed = plan.reused || opening.outcome === "better";
  const beside = needed
    ? await openProbes(context, probes, exact, { ...asked, ...place, gateReused: plan.reused })
    : { probed: exact, answers: [] };
  const looked = blocks.slice(0, opening.blocks);
  return {
    opening,
    obstacle: null,
    probed: beside.probed,
    answers: { blocks: looked, probes: beside.answers, smallestGain: smallestWorth(gate, plan.reused) },
  };
}
