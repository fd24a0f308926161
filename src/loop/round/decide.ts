import { hashOf, randomStream } from "../../foundation/base/index.ts";
import {
  type Decision,
  decisionSchema,
  type Gain,
  type GuardFinding,
  type Opening,
  type RunEvent,
  type Stratum,
  type Task,
} from "../../foundation/contract/index.ts";
import { drawItems } from "../../world/task/index.ts";
import { decide, openGate, smallestWorth } from "../gate.ts";
import { type Blocks, decisionItemsOf, planBlocks, reusedFact } from "./block-parts.ts";
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

/** Most tokens that an answer in a stratum takes, from a few items of its training split. */
function longestAnswer(task: Task, { difficulty }: Stratum): number {
  const random = randomStream(0, "longest answer");
  const items = drawItems({ task, difficulty, split: "train", count: 16, random, orFewer: true });
  return Math.max(1, ...items.map((item) => task.maxTokens(item)));
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
      const items = decisionItemsOf(task);
      const reusedBefore = context.ledger.getFact(reusedFact(items)) === true;
      const blocks = planBlocks(task, gate, { reusedBefore });
      const barred = !observe && findings.some(({ answer }) => answer === "stop" || answer === "roll-back");
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
      const open = async (plan: Blocks): Promise<Opening> => {
        if (!plan.reused) return openWith(plan);
        context.ledger.setFact(reusedFact(items), true);
        // How long the answers were would tell how right they were: the cost is that of the longest ones.
        const charge = context.sealCost();
        const opening = await openWith(plan);
        const longest = plan.parts
          .flatMap(({ strata }) => strata)
          .map((stratum) => longestAnswer(task, stratum));
        charge(2 * opening.pairs * Math.max(...longest));
        return opening;
      };
      const openWith = (plan: Blocks): Promise<Opening> =>
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
