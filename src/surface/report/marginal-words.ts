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
  const gained = `${which} gained ${signedPoints(gain)} points on validation items (${range(interval)}) for ${amounts(cost, story)}`;
  const most = room ?? Number.POSITIVE_INFINITY;
  if (gain / count > most) return `${gained}; ${next} buys ${leftWords(most)}`;
  const [low, high] = [interval.low / count, interval.high / count];
  const bought =
    high > most
      ? `95 % interval from ${signedPoints(low)}, and no more than ${signedPoints(most)} are left to gain`
      : range({ low, high });
  return `${gained}; at that pace ${next} buys ${signedPoints(gain / count)} points (${bought})`;
}

/** Where the pace would lead beyond what is right everywhere, it says nothing any more: what is left does. */
function leftWords(room: number): string {
  if (room <= 0) return "nothing: all validation items are answered rightly, and nothing is left to gain";
  const points = signedPoints(room);
  return points === signedPoints(0)
    ? "less than 0.1 points: no more are left to gain on validation items"
    : `at most ${points} points: no more are left to gain on validation items`;
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
