import { randomStream } from "../../../foundation/base/index.ts";
import type { Gain, Opening, Stratum, Task } from "../../../foundation/contract/index.ts";
import { drawItems } from "../../../world/task/index.ts";
import { smallestWorth } from "../../gate.ts";
import type { RoundContext } from "../context.ts";
import { type Blocks, reusedFact } from "./block-parts.ts";
import { whyUnopened } from "./promising.ts";

export interface ReusedOpening {
  readonly round: number;
  /** Whose decision items: the task's name and version. */
  readonly items: string;
  /** Which opening uses them. */
  readonly owner: string;
  readonly plan: Blocks;
}

/** Why an opening on reused items is not worth spending yet, by what the candidate gained on validation items; else null. */
export function whyNotReused(
  { ledger, definition }: RoundContext,
  { round, items, owner, plan }: ReusedOpening,
  gain: Gain,
): string | null {
  const { gate, budget } = definition;
  return whyUnopened({
    gain,
    opening: ledger.nextOpening(items, owner),
    openings: gate.reusedOpenings,
    pairs: plan.pairs,
    alpha: gate.alpha,
    worth: smallestWorth(gate, true),
    lastRound: round === budget.rounds,
  });
}

/**
 * Opens the gate on reused items, which are remembered as such. How long the answers were would tell how right they were: the cost
 * is that of the longest ones.
 */
export async function openReused(
  { ledger, definition, sealCost }: RoundContext,
  { items, plan }: ReusedOpening,
  open: () => Promise<Opening>,
): Promise<Opening> {
  ledger.setFact(reusedFact(items), true);
  const charge = sealCost();
  const opening = await open();
  const strata = plan.parts.flatMap((part) => part.strata);
  charge(2 * opening.pairs * Math.max(...strata.map((stratum) => longestAnswer(definition.task, stratum))));
  return opening;
}

/** Most tokens that an answer in a stratum takes, from a few items of its training split. */
export function longestAnswer(task: Task, { difficulty }: Stratum): number {
  const random = randomStream(0, "longest answer");
  const items = drawItems({ task, difficulty, split: "train", count: 16, random, orFewer: true });
  return Math.max(1, ...items.map((item) => task.maxTokens(item)));
}
