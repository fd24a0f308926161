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
import { decisionItemsOf, planBlocks } from "./block-parts.ts";
import { answeredBlocks } from "./blocks.ts";
import { leadCheckpoint, playStage, type RoundContext } from "./context.ts";
import { whyUnopened } from "./promising.ts";
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
  const { gate, task, budget } = context.definition;
  const observe = gate.mode === "observe";
  const seed = decisionSeed(context, round);
  const stored = await playStage(context, {
    round,
    name: "decide",
    label: "candidate against champion",
    input: { candidate: leadCheckpoint(context, candidate), champion: leadCheckpoint(context, champion) },
    work: async (progress) => {
      const blocks = planBlocks(task, gate);
      const barred = !observe && findings.some(({ answer }) => answer === "stop" || answer === "roll-back");
      const items = decisionItemsOf(task);
      const owner = `${context.run.id}/round-${round}`;
      const obstacle =
        "obstacle" in blocks
          ? blocks.obstacle
          : !blocks.reused || barred || gain === null
            ? null
            : whyUnopened({
                gain,
                opening: context.ledger.nextOpening(items, owner),
                openings: gate.reusedOpenings,
                pairs: blocks.pairs,
                alpha: gate.alpha,
                worth: smallestWorth(gate, true),
                lastRound: round === budget.rounds,
              });
      const open = async (plan: Extract<typeof blocks, { parts: unknown }>): Promise<Opening> =>
        openGate({
          opening: context.ledger.openingNumber(items, owner),
          options: { ...gate, smallestGain: smallestWorth(gate, plan.reused) },
          reused: plan.reused,
          nextBlocks: answeredBlocks(context, {
            round,
            candidate,
            champion,
            items,
            owner,
            seed,
            plan,
            progress,
          }),
        });
      const opening = barred || obstacle !== null || "obstacle" in blocks ? null : await open(blocks);
      const decision = decide({ opening, obstacle, findings, observe });
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
