import type { Cost, Gain, RunEvent, StoredEvent } from "../../foundation/contract/index.ts";

/** What the last rounds gained, and for what: at that pace the next ones go on. */
export interface Marginal {
  /** Rounds that it is told from, in order; all of them finished. */
  readonly rounds: readonly number[];
  /** By which the champion has risen over them on validation items, as the target distribution weighs them. */
  readonly gain: number;
  /** Of the gain, 95 %; null where none of the rounds was promoted. */
  readonly interval: Gain["interval"] | null;
  /** What an accuracy of 1 leaves to gain; null before the champion was measured. */
  readonly room: number | null;
  /** Of these rounds together. */
  readonly cost: Cost;
}

/** Rounds that are told from at most. */
const recentRounds = 3;

interface Played {
  gain: Gain | null;
  mean: number | null;
  promoted: boolean;
  finished: boolean;
  cost: Cost | null;
}

/** Kinds of events that it is told from. */
const heard: ReadonlySet<RunEvent["type"]> = new Set<RunEvent["type"]>([
  "run-started",
  "round-started",
  "validation-measured",
  "candidate-promoted",
  "champion-rolled-back",
  "cost-metered",
  "round-finished",
]);

/** The same fold, an event at a time. */
export interface MarginalListener {
  hear(event: RunEvent): void;
  read(): Marginal | null;
}

/**
 * What the next unit of budget would buy, by the last three rounds: the paired gains on validation items of those that were
 * promoted, one after the other, over what all of them cost. The interval of the sum is that of independent ones (MOVER: Zou and
 * Donner, Statistics in Medicine 27, 2008); gains over each other's champion on the same items lean against each other, so it is
 * rather too wide. Null before a round is finished, and where decisions are only recorded.
 */
export function marginalOf(events: readonly StoredEvent[]): Marginal | null {
  const listener = marginalListener();
  for (const { event } of events) listener.hear(event);
  return listener.read();
}

export function marginalListener(): MarginalListener {
  const rounds = new Map<number, Played>();
  let observed = false;
  const roundOf = (round: number): Played => {
    const known = rounds.get(round) ?? {
      gain: null,
      mean: null,
      promoted: false,
      finished: false,
      cost: null,
    };
    rounds.set(round, known);
    return known;
  };
  const hear = (event: RunEvent): void => {
    if (!heard.has(event.type)) return;
    switch (event.type) {
      case "run-started":
        observed = event.observe;
        return;
      case "validation-measured": {
        if (event.who === "champion") return;
        const played = roundOf(event.round);
        played.gain = event.gain ?? null;
        played.mean = event.measurement.mean;
        return;
      }
      case "candidate-promoted":
        roundOf(event.round).promoted = true;
        return;
      case "champion-rolled-back":
        for (const [round, played] of rounds) if (round > event.to.round) played.promoted = false;
        if (event.to.round > 0) roundOf(event.to.round).promoted = true;
        return;
      case "cost-metered": {
        // An interruption meters under the last round that ended, whose cost is known already.
        const played = roundOf(event.round);
        if (!played.finished) played.cost = event.cost;
        return;
      }
      case "round-started":
        roundOf(0).finished = true;
        return;
      case "round-finished":
        roundOf(event.round).finished = true;
        return;
    }
  };
  const read = (): Marginal | null => {
    const all = [...rounds].sort(([a], [b]) => a - b);
    const recent = all.filter(([round, { finished }]) => round > 0 && finished).slice(-recentRounds);
    const [first] = recent;
    const after = recent.findLast(([, { cost }]) => cost !== null)?.[1].cost ?? null;
    if (observed || first === undefined || after === null) return null;
    const before = all.findLast(([round, { cost }]) => round < first[0] && cost !== null)?.[1].cost ?? null;
    const champion = all.findLast(([round, { promoted }]) => promoted || round === 0)?.[1];
    const gains = recent.flatMap(([, { promoted, gain }]) => (promoted && gain !== null ? [gain] : []));
    const gain = gains.reduce((sum, { mean }) => sum + mean, 0);
    const spread = (to: "low" | "high"): number =>
      Math.sqrt(gains.reduce((sum, { mean, interval }) => sum + (interval[to] - mean) ** 2, 0));
    return {
      rounds: recent.map(([round]) => round),
      gain,
      interval: gains.length === 0 ? null : { low: gain - spread("low"), high: gain + spread("high") },
      room: champion?.mean == null ? null : 1 - champion.mean,
      cost: difference(after, before),
    };
  };
  return { hear, read };
}

function difference(after: Cost, before: Cost | null): Cost {
  const names = Object.keys(after) as (keyof Cost)[];
  return Object.fromEntries(
    names.map((name) => [name, (after[name] ?? 0) - (before?.[name] ?? 0)]),
  ) as unknown as Cost;
}
