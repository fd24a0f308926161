import { randomStream, userError } from "../../../foundation/base/index.ts";
import type { EnginePrices, StoredEvent, Tokenizer } from "../../../foundation/contract/index.ts";
import { contextTokens } from "../../../gro/rollout/index.ts";
import { evaluationItems } from "../../../lifecycle/evaluate/index.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { amountWords } from "../budget.ts";
import type { KeptBackByCap } from "./spending.ts";

/**
 * What the audit of a promotion and the closing audit may take at most. It is kept back from the caps, so that a run which
 * stops at one can still say what it gained.
 */
export interface KeptBack {
  readonly answers: number;
  readonly tokensSampled: number;
  readonly tokensRead: number;
}

const nothing: KeptBack = { answers: 0, tokensSampled: 0, tokensRead: 0 };

/** Counts answers at their longest. A gate that observes promotes nothing, so that nothing is audited; without a cap nothing is kept. */
export function keptBackOf(definition: RunDefinition, tokenizer: Tokenizer): KeptBack {
  const { task, evaluate, refine, gate, budget } = definition;
  const { tokens, wallSeconds, currency } = budget;
  const capped = [tokens, wallSeconds, currency].some((cap) => cap !== undefined);
  if (gate.mode === "observe" || !capped) return nothing;
  const items = [evaluate.auditPerStratum, evaluate.finalAuditPerStratum].flatMap((perStratum) =>
    evaluationItems({ task, split: "audit", perStratum, random: randomStream(0, "kept back") }),
  );
  const sum = (of: (item: (typeof items)[number]) => number): number =>
    2 * items.reduce((total, item) => total + of(item), 0);
  return {
    answers: 2 * items.length,
    tokensSampled: sum((item) => task.maxTokens(item) * refine.samplesPerItem),
    // Whoever ranks answers reads each, with what was asked.
    tokensRead: sum((item) => {
      const asked = contextTokens(tokenizer, item).length;
      const ranked = (refine.asks?.length ?? 0) * refine.samplesPerItem * (asked + task.maxTokens(item));
      return asked + ranked;
    }),
  };
}

/** What is kept back of each cap. */
export function keptBackByCap(
  events: readonly StoredEvent[],
  keptBack: KeptBack,
  prices: EnginePrices | undefined,
): KeptBackByCap {
  return {
    tokens: keptBack.tokensSampled,
    wallSeconds: keptBackSeconds(events, keptBack),
    ...(prices === undefined ? {} : { currency: keptBackPrice(keptBack, prices) }),
  };
}

/** What is kept back of a cap on wall time, by how long the base took for validation items; 0 before that is known. */
function keptBackSeconds(events: readonly StoredEvent[], { answers }: KeptBack): number {
  let seconds = 0;
  let answered = 0;
  for (const { event } of events) {
    if (event.type === "validation-measured" && event.round === 0)
      answered = event.measurement.strata.reduce((sum, { items }) => sum + items, 0);
    if (event.type === "stage-finished" && event.round === 0 && event.stage === "evaluate")
      seconds = event.seconds;
  }
  return answered === 0 ? 0 : (seconds / answered) * answers;
}

/** What is kept back, in the currency of the prices. */
function keptBackPrice({ tokensSampled, tokensRead }: KeptBack, prices: EnginePrices): number {
  return (tokensSampled * prices.sampled + tokensRead * prices.read) / 1e6;
}

/** Throws a user error `budget-too-small` where nothing is left beside what is kept back. */
export function refuseTooSmall(
  { budget }: Pick<RunDefinition, "budget">,
  keptBack: KeptBack,
  prices: EnginePrices | undefined,
): void {
  const price = prices === undefined ? 0 : keptBackPrice(keptBack, prices);
  const caps = [
    ["tokens", budget.tokens, keptBack.tokensSampled],
    ["currency", budget.currency, price],
  ] as const;
  for (const [name, limit, kept] of caps)
    if (limit !== undefined && limit <= kept)
      throw userError(
        "budget-too-small",
        `The budget of ${amountWords(name, limit)} leaves nothing to learn with: ${amountWords(name, kept)} are kept back for the audits that say what was gained. Raise it (\`whetstone plan\` without it says what a run takes), or let them ask fewer items with evaluate.finalAuditPerStratum.`,
        { limit, keptBack: kept },
      );
}
