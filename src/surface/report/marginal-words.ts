import type { Cost } from "../../foundation/contract/index.ts";
import type { RunStory } from "./story.ts";
import { compact, duration, listRounds, signedPoints, whole } from "./words.ts";

/**
 * What the next unit of budget would buy, by what the last rounds gained for what they cost: one round more, as dear as those
 * were. Undefined where nothing can be said.
 */
export function marginalWords(story: Pick<RunStory, "marginal" | "facts" | "engine">): string | undefined {
  const { marginal } = story;
  if (marginal === null) return undefined;
  const { rounds, gain, interval, room, cost } = marginal;
  const count = rounds.length;
  const which = `${count === 1 ? "round" : "rounds"} ${listRounds(rounds)}`;
  const each = Object.fromEntries(
    Object.entries(cost).map(([name, value]) => [name, (value ?? 0) / count]),
  ) as unknown as Cost;
  const next = `one round more, about ${amounts(each, story)},`;
  if (interval === null)
    return `${count === 1 ? which : `none of ${which}`} was ${count === 1 ? "not " : ""}promoted, for ${amounts(cost, story)}: at that pace ${next} buys nothing`;
  const range = ({ low, high }: { readonly low: number; readonly high: number }): string =>
    `95 % interval ${signedPoints(low)} to ${signedPoints(high)}`;
  const most = room ?? Number.POSITIVE_INFINITY;
  const bought = (value: number): number => Math.min(value / count, most);
  return `${which} gained ${signedPoints(gain)} points on validation items (${range(interval)}) for ${amounts(cost, story)}; at that pace ${next} buys ${signedPoints(bought(gain))} points (${range({ low: bought(interval.low), high: bought(interval.high) })})`;
}

/** Tokens and time, and what else is capped or charged. */
export function amounts(cost: Cost, { facts, engine }: Pick<RunStory, "facts" | "engine">): string {
  return [
    `${compact(cost.tokensSampled + cost.tokensTrained)} tokens`,
    ...(facts?.budget?.steps === undefined ? [] : [`${whole(cost.optimizerSteps)} steps`]),
    ...(cost.currency === undefined ? [] : [price(cost.currency, engine)]),
    duration(cost.wallSeconds),
  ].join(", ");
}

/** An amount in the currency of the engine's prices: `1.25 USD`. */
export function price(amount: number, engine: RunStory["engine"]): string {
  return `${amount.toFixed(amount < 1 ? 4 : 2)} ${engine?.currency ?? "of the engine's currency"}`;
}
