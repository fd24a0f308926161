import type { Clock } from "../../foundation/base/index.ts";
import {
  type Cost,
  costSchema,
  type Engine,
  type EngineCost,
  type EnginePrices,
} from "../../foundation/contract/index.ts";
import type { Ledger, RunLedger } from "../../foundation/ledger/index.ts";

const nothing: Cost = {
  tokensSampled: 0,
  tokensTrained: 0,
  optimizerSteps: 0,
  busySeconds: 0,
  availableSeconds: 0,
  wallSeconds: 0,
};

export interface CostMeter {
  /** The engine's cost since it was opened, on top of what earlier processes recorded of this run. */
  read(): Cost;
  /**
   * From now on neither sampled tokens nor the time that caps count go on, until the returned function is called with how many
   * tokens are charged instead, and the time that so many take in this run.
   */
  seal(): (charged: number) => void;
  /** Whether tokens and time stand still, as between a `seal` and its charge. */
  readonly sealed: boolean;
  /** From now on time is not counted, until the returned function is called: a person is waited for. */
  pause(): () => void;
  /** From now on nothing is counted, tokens and time alike, until the returned function is called: this is outside of the budget. */
  aside(): () => void;
  /** Keeps the cost beside the run's events, so that a death loses no more than what was under way. */
  keep(): void;
}

export interface CostMeterOptions {
  readonly ledger: Pick<Ledger, "getFact" | "setFact">;
  readonly record: RunLedger;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Of the engine, where it has some. */
  readonly prices?: EnginePrices | undefined;
}

export function costMeter({ ledger, record, engine, clock, prices }: CostMeterOptions): CostMeter {
  const fact = `cost/${record.id}`;
  const before = costBefore(record, ledger.getFact(fact));
  const began = clock.monotonic();
  const paused = { wallSeconds: 0, availableSeconds: 0 };
  let held: { readonly wallSeconds: number; readonly availableSeconds: number } | null = null;
  let sealed: { readonly tokens: number; readonly seconds: number } | null = null;
  const correction = { tokens: 0, seconds: 0 };
  let charges = before.chargedSeconds !== undefined;
  let kept = "";
  let leaving: Counted | null = null;
  const left: Counted[] = [];
  /** What the engine has counted, without what stood aside. */
  const byEngine = (): Counted => {
    const now = leaving ?? countedBy(engine.cost());
    return left.reduce((rest, one) => minus(rest, one), now);
  };

  const times = () => ({
    wallSeconds: (held?.wallSeconds ?? (clock.monotonic() - began) / 1000) - paused.wallSeconds,
    availableSeconds: (held?.availableSeconds ?? engine.cost().availableSeconds) - paused.availableSeconds,
  });
  const read = (): Cost => {
    const { tokensSampled, tokensTrained, optimizerSteps, busySeconds, tokensRead } = byEngine();
    const { wallSeconds, availableSeconds } = times();
    const sampled = (sealed?.tokens ?? tokensSampled) + correction.tokens;
    const price =
      prices === undefined
        ? 0
        : (tokensRead * prices.read + sampled * prices.sampled + tokensTrained * prices.trained) / 1e6;
    const counted = (sealed?.seconds ?? wallSeconds) + correction.seconds;
    return {
      tokensSampled: before.tokensSampled + sampled,
      tokensTrained: before.tokensTrained + tokensTrained,
      optimizerSteps: before.optimizerSteps + optimizerSteps,
      busySeconds: before.busySeconds + busySeconds,
      availableSeconds: before.availableSeconds + availableSeconds,
      wallSeconds: before.wallSeconds + wallSeconds,
      ...(prices === undefined && before.currency === undefined
        ? {}
        : { currency: (before.currency ?? 0) + price }),
      ...(charges ? { chargedSeconds: (before.chargedSeconds ?? before.wallSeconds) + counted } : {}),
    };
  };
  const pause = (): (() => void) => {
    const begun = times();
    held = {
      wallSeconds: begun.wallSeconds + paused.wallSeconds,
      availableSeconds: begun.availableSeconds + paused.availableSeconds,
    };
    return () => {
      held = null;
      const now = times();
      paused.wallSeconds += now.wallSeconds - begun.wallSeconds;
      paused.availableSeconds += now.availableSeconds - begun.availableSeconds;
    };
  };
  return {
    read,
    get sealed() {
      return sealed !== null;
    },
    seal: () => {
      const begun = { tokens: engine.cost().tokensSampled, seconds: times().wallSeconds };
      // What a token takes outside of it, trained or sampled: how long these answers take would tell how right they are.
      const { tokensSampled, tokensTrained, wallSeconds, chargedSeconds = wallSeconds } = read();
      const secondsPerToken = chargedSeconds / Math.max(1, tokensSampled + tokensTrained);
      sealed = begun;
      charges = true;
      return (charged) => {
        correction.tokens += charged - (engine.cost().tokensSampled - begun.tokens);
        correction.seconds += charged * secondsPerToken - (times().wallSeconds - begun.seconds);
        sealed = null;
      };
    },
    pause,
    aside: () => {
      const goOn = pause();
      const begun = countedBy(engine.cost());
      leaving = begun;
      return () => {
        leaving = null;
        left.push(minus(countedBy(engine.cost()), begun));
        goOn();
      };
    },
    keep: () => {
      const cost = read();
      const text = JSON.stringify([cost.tokensSampled, cost.tokensTrained, cost.optimizerSteps]);
      // Where nothing was computed there is nothing to lose.
      if (text === kept) return;
      kept = text;
      ledger.setFact(fact, { ...cost });
    },
  };
}

type Counted = Required<Omit<EngineCost, "availableSeconds">>;

function countedBy({ tokensRead = 0, availableSeconds: _, ...cost }: EngineCost): Counted {
  return { ...cost, tokensRead };
}

function minus(one: Counted, other: Counted): Counted {
  return {
    tokensSampled: one.tokensSampled - other.tokensSampled,
    tokensTrained: one.tokensTrained - other.tokensTrained,
    optimizerSteps: one.optimizerSteps - other.optimizerSteps,
    busySeconds: one.busySeconds - other.busySeconds,
    tokensRead: one.tokensRead - other.tokensRead,
  };
}

/** The newest of what was stored: cost only grows. */
function costBefore(record: RunLedger, fact: unknown): Cost {
  const told = record
    .events()
    .reduce((cost, { event }) => (event.type === "cost-metered" ? event.cost : cost), nothing);
  const kept = costSchema.safeParse(fact);
  if (!kept.success) return told;
  const names = Object.keys({ ...told, ...kept.data }) as (keyof Cost)[];
  return costSchema.parse(
    Object.fromEntries(names.map((name) => [name, Math.max(told[name] ?? 0, kept.data[name] ?? 0)])),
  );
}
