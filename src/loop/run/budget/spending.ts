import { isWhetstoneError, userError, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { Budget, CapName, Cost, EventOf, StoredEvent } from "../../../foundation/contract/index.ts";
import { amountWords, capNames, spentOf } from "../budget.ts";

/** What is kept back of each cap. */
export type KeptBackByCap = Partial<Readonly<Record<CapName, number>>>;

/** A cap that is reached, and by how much. */
export type SpentCap = Pick<EventOf<"budget-spent">, "cap" | "limit" | "spent" | "keptBack">;

/** The first cap that is reached; null while none is. */
export function spentCap(budget: Budget, cost: Cost, keptBack: KeptBackByCap): SpentCap | null {
  for (const cap of capNames) {
    const limit = budget[cap];
    if (limit === undefined) continue;
    const [spent, kept] = [spentOf(cap, cost), keptBack[cap] ?? 0];
    if (spent + kept >= limit) return { cap, limit, spent, keptBack: kept };
  }
  return null;
}

/** `2,000,000 tokens are spent: 1,912,400, and 92,160 kept back for the closing audit`. */
export function spentWords({ cap, limit, spent, keptBack }: SpentCap): string {
  const left = keptBack > 0 ? `, and ${amountWords(cap, keptBack)} are kept back for the closing audit` : "";
  return `the budget of ${amountWords(cap, limit)} is spent: ${amountWords(cap, spent)}${left}`;
}

const code = "budget-spent";
const caps = new WeakMap<WhetstoneError, SpentCap>();

/** Ends what is under way at a cap; the run itself catches it. */
export function stopAt(spent: SpentCap): WhetstoneError {
  const error = userError(code, `${spentWords(spent)}.`);
  caps.set(error, spent);
  return error;
}

/** The cap at which work was ended; null for any other error. */
export function stoppedAt(error: unknown): SpentCap | null {
  return isWhetstoneError(error) && error.code === code ? (caps.get(error) ?? null) : null;
}

/**
 * The cap that keeps a run, which was stopped at one, from going on under a budget, by the last cost that was stored: under a smaller
 * budget it is another than the one at which it was stopped. Undefined where none does.
 */
export function stillSpent(events: readonly StoredEvent[], budget: Budget): SpentCap | undefined {
  let stop: EventOf<"budget-spent"> | undefined;
  let cost: Cost | undefined;
  for (const { event } of events) {
    if (event.type === "budget-spent") stop = event;
    if (event.type === "cost-metered") cost = event.cost;
  }
  if (stop === undefined || cost === undefined) return undefined;
  const spent = spentCap(budget, cost, { [stop.cap]: stop.keptBack });
  if (spent === null) return undefined;
  // As it was told then: what was kept back has been spent since.
  return spent.cap === stop.cap && spent.limit === stop.limit ? stop : spent;
}
