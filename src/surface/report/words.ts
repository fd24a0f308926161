import type { Decision, Gain } from "../../foundation/contract/index.ts";
import type { RollbackStory, RoundStory } from "./story.ts";

export { compact, oneOf, percent, signedPoints } from "../../foundation/statistics/index.ts";

/** `0.4 s`, `48 s`, `3 min 41 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (!(seconds >= 0.05)) return "0 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** `1,024`. */
export function whole(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** Wealth, levels and meter values: three figures, and powers where those would hide the size. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "?" : value > 0 ? "very large" : "very small";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(1).replace("e+", "e");
  if (size >= 1000) return whole(value);
  return String(Number(value.toPrecision(3)));
}

export function frontierWord(frontier: number | null): string {
  return frontier === null ? "none" : String(frontier);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** Rounds as people say them: `3`, `3 and 5`, `2-4 and 8`. */
export function listRounds(rounds: readonly number[]): string {
  const stretches: [number, number][] = [];
  for (const round of [...rounds].sort((a, b) => a - b)) {
    const last = stretches.at(-1);
    if (last !== undefined && round <= last[1] + 1) last[1] = round;
    else stretches.push([round, round]);
  }
  const words = stretches.flatMap(([from, to]) =>
    to - from === 1 ? [`${from}`, `${to}`] : [from === to ? `${from}` : `${from}-${to}`],
  );
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Words of our own whose numbers stay with their units where a line is broken: no-break spaces between them. */
export function unbroken(words: string): string {
  return words.replace(/(?<=\d) (?=%|points|pairs|s\b|min\b)/g, "\u00a0");
}

/** The same with a great letter in front. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What became of a round. `observed`: the gate would have decided, but only recorded it. */
export type Outcome = "promoted" | "rejected" | "rolled-back" | "asked" | "observed" | "given-up" | "open";

export function outcomeOf({
  decision,
  promoted,
  givenUp,
}: Pick<RoundStory, "decision" | "promoted" | "givenUp">): Outcome {
  if (givenUp) return "given-up";
  if (promoted) return "promoted";
  if (decision === null) return "open";
  if (!decision.acted) return decision.decision === "ask" ? "asked" : "observed";
  return acted[decision.decision];
}

const acted: Readonly<Record<Decision["decision"], Outcome>> = {
  promote: "promoted",
  reject: "rejected",
  "roll-back": "rolled-back",
  ask: "asked",
};

const outcomeWords: Readonly<Record<Outcome, string>> = {
  promoted: "promoted",
  rejected: "rejected",
  "rolled-back": "rolled back",
  asked: "a person is asked",
  observed: "recorded only",
  "given-up": "given up",
  open: "under way",
};

const wouldHave: Readonly<Record<Decision["decision"], string>> = {
  promote: "would promote",
  reject: "would reject",
  "roll-back": "would roll back",
  ask: "would ask",
};

/** The outcome in one or two words; for a gate that observes, what it would have done. */
export function outcomeWord(round: Pick<RoundStory, "decision" | "promoted" | "givenUp">): string {
  const outcome = outcomeOf(round);
  return outcome === "observed" && round.decision !== null
    ? wouldHave[round.decision.decision]
    : outcomeWords[outcome];
}

/** `a person took the champion back from round 5 to round 2 (it forgets)`. */
export function rollbackWord({ from, to, reason }: RollbackStory): string {
  const name = (round: number): string => (round === 0 ? "the base" : `round ${round}`);
  return `a person took the champion back from ${name(from)} to ${name(to)}${reason === "" ? "" : ` (${reason})`}`;
}

/** What an interval allows to say. */
export type GainClaim = "gain" | "loss" | "not-shown";

export function claimOf({ interval }: Gain): GainClaim {
  return interval.low > 0 ? "gain" : interval.high < 0 ? "loss" : "not-shown";
}

/** What a round does otherwise because guards asked for it. */
export function remedyWords({
  learningRate,
  realData,
}: {
  readonly learningRate: number;
  readonly realData: number;
}): string {
  return [
    ...(learningRate < 1 ? [`learns at 1/${figure(1 / learningRate)} of its rate`] : []),
    ...(realData > 1 ? [`learns from ${figure(realData)} times as much real data`] : []),
  ].join(" and ");
}
