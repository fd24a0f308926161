import { hashOf } from "../../foundation/base/index.ts";
import {
  type Decision,
  decisionSchema,
  type Gain,
  type GuardFinding,
  type Opening,
  type RunEvent,
} from "../../foundation/contract/index.ts";
import { decide, openGate, smallestWorth } from "../gate.ts";
import { askedFirst } from "./asked-first.ts";
import { decisionItemsOf, planBlocks, reusedFact } from "./block-parts.ts";
import { answeredBlocks, type BlocksRequest } from "./blocks.ts";
import { leadCheckpoint, playStage, type RoundContext } from "./context.ts";
import { openReused, whyNotReused } from "./reused-opening.ts";
import type { Lineage } from "./state.ts";

/** The seed that draws a round's decision items: its hash is told before training, itself with the decision. */
export function decisionSeed(context: RoundContext, round: number): string {
  return hashOf({ seed: context.definition.seed, run: context.run.id, round, purpose: "decision" });
}

export interface DecideRequest {
  readonly findings: readonly GuardFinding[];
  /** Candidate against champion on validation items. */
  readonly gain: Gain | null;
}

/** Candidate against champion on decision items; nothing but this promotes. */
export async function decideStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage,
  { findings, gain }: DecideRequest,
): Promise<Decision> {
  const observe = context.definition.gate.mode === "observe";
  const seed = decisionSeed(context, round);
  const stored = await playStage(context, {
    round,
    name: "decide",
    label: "candidate against champion",
    input: { candidate: leadCheckpoint(context, candidate), champion: leadCheckpoint(context, champion) },
    work: async (progress) => {
      const barred = !observe && findings.some(({ answer }) => answer === "stop" || answer === "roll-back");
      const asked = { round, candidate, champion, seed, progress };
      const { opening, obstacle } = await opened(context, { ...asked, barred, gain });
      const decision = askedFirst(context.definition, decide({ opening, obstacle, findings, observe }));
      const checkpoint = leadCheckpoint(context, candidate);
      const events: RunEvent[] = [{ type: "decision-made", round, decision, seed }];
      if (decision.acted)
        events.push(
          decision.decision === "promote"
            ? { type: "candidate-promoted", round, checkpoint }
            : { type: "candidate-rejected", round, checkpoint },
        );
      return { result: decision, summary: decision.reason, events };
    },
  });
  return decisionSchema.parse(stored);
}

interface OpenRequest extends Pick<BlocksRequest, "round" | "candidate" | "champion" | "seed" | "progress"> {
  /** A guard keeps the gate shut. */
  readonly barred: boolean;
  readonly gain: Gain | null;
}

/** The round's opening, or why there is none. */
async function opened(
  context: RoundContext,
  { barred, gain, ...asked }: OpenRequest,
): Promise<{ readonly opening: Opening | null; readonly obstacle: string | null }> {
  const { ledger, definition, run } = context;
  const { task, gate } = definition;
  const { alpha, cap, reusedOpenings } = gate;
  const items = decisionItemsOf(task);
  const plan = planBlocks(task, gate, { reusedBefore: ledger.getFact(reusedFact(items)) === true });
  if ("obstacle" in plan) return { opening: null, obstacle: plan.obstacle };
  if (barred) return { opening: null, obstacle: null };
  const place = { round: asked.round, items, owner: `${run.id}/round-${asked.round}`, plan };
  const open = (): Promise<Opening> =>
    openGate({
      opening: ledger.openingNumber(items, place.owner),
      options: { alpha, cap, reusedOpenings, smallestGain: smallestWorth(gate, plan.reused) },
      reused: plan.reused,
      nextBlocks: answeredBlocks(context, { ...asked, ...place }),
    });
  if (!plan.reused) return { opening: await open(), obstacle: null };
  const obstacle = gain === null ? null : whyNotReused(context, place, gain);
  return { opening: obstacle === null ? await openReused(context, place, open) : null, obstacle };
}
