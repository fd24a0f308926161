import { amounts, marginalWords } from "./marginal-words.ts";
import { openIn } from "./question-words.ts";
import type { RoundStory, RunStory } from "./story.ts";
import { listRounds, signedPoints } from "./words.ts";

/**
 * What is known of what more budget would buy; undefined only while a run goes on of which nothing can be said yet. Rounds whose
 * promotion waits for a person bought something that nobody has acted on: they are neither counted as gained nor as nothing.
 */
export function moreWords(story: RunStory): string | undefined {
  const { marginal, state } = story;
  const over = state === "finished" || state === "budget-spent";
  if (marginal === null) return over ? notKnown(story) : undefined;
  const asked = new Set(openIn(story).flatMap(({ about, round }) => (about === "promotion" ? [round] : [])));
  const waiting = marginal.rounds.filter((round) => asked.has(round));
  const named = `${waiting.length === 1 ? "round" : "rounds"} ${listRounds(waiting)}`;
  const waits = waiting.length === 1 ? "waits" : "wait";
  if (marginal.interval === null && waiting.length > 0)
    return `not known before a person has answered: ${named} ${waits} for it, for ${amounts(marginal.cost, story)}`;
  const words = marginalWords(story);
  return waiting.length === 0
    ? words
    : `${words}; ${named} ${waits} for a person, and what that gains is not counted`;
}

function notKnown(story: RunStory): string {
  const { facts, rounds } = story;
  const ended = rounds.filter(({ finished }) => finished).length;
  if (facts?.observe)
    return `not known: decisions are only recorded, so nothing is gated and no round gains anything${ended === 0 ? "" : `; a round takes about ${roundCost(story, ended)}`}`;
  const last = rounds.at(-1);
  if (last === undefined)
    return "not known: no round was begun, and a round's gain and cost are what it is told by";
  const spent = last.spent === null ? "" : `, which has taken ${amounts(last.spent, story)}`;
  return `not known before a round has ended: the budget was spent in round ${last.round}${spent}${measuredWords(last)}`;
}

/** What its candidate promises, where that was measured: nothing that a gate has judged. */
function measuredWords({ validationGain, decision }: RoundStory): string {
  if (validationGain === null || decision !== null) return "";
  const { mean, interval } = validationGain;
  return `; its candidate stands ${signedPoints(mean)} points from the champion on validation items (95 % interval ${signedPoints(interval.low)} to ${signedPoints(interval.high)}), which the gate has not judged`;
}

function roundCost(story: RunStory, ended: number): string {
  const spent = story.rounds.flatMap(({ finished, spent: own }) => (finished && own !== null ? [own] : []));
  const sum = (name: keyof (typeof spent)[number]): number =>
    spent.reduce((total, cost) => total + (cost[name] ?? 0), 0) / ended;
  return amounts(
    {
      tokensSampled: sum("tokensSampled"),
      tokensTrained: sum("tokensTrained"),
      optimizerSteps: sum("optimizerSteps"),
      busySeconds: sum("busySeconds"),
      availableSeconds: sum("availableSeconds"),
      wallSeconds: sum("wallSeconds"),
      ...(spent.some(({ currency }) => currency !== undefined) ? { currency: sum("currency") } : {}),
    },
    story,
  );
}
