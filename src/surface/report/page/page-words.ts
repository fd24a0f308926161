import { type Gain, type GuardFinding, isUnmeasured } from "../../../foundation/contract/index.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { unicodeGlyphs } from "../terminal/glyphs.ts";
import { compact, figure, type Outcome, outcomeOf, outcomeWord, percent, signedPoints } from "../words.ts";
import { html, type Markup } from "./html.ts";

/** Signed percentage points with a true minus. */
export function points(difference: number): string {
  return signedPoints(difference).replace("-", "−");
}

export function intervalWords({ interval }: Pick<Gain, "interval">): string {
  return `${points(interval.low)} to ${points(interval.high)}`;
}

const chipKinds: Readonly<Record<Outcome, string>> = {
  promoted: "good",
  rejected: "",
  "rolled-back": "bad",
  asked: "warn",
  observed: "",
  "given-up": "",
  open: "",
};

/** What became of a round: a sign, a word and a colour, so that none is needed to know the others. */
export function outcomeChip(round: Pick<RoundStory, "decision" | "promoted" | "givenUp">): Markup {
  const outcome = outcomeOf(round);
  return html`<span class="chip ${chipKinds[outcome]}"><span aria-hidden="true">${unicodeGlyphs.outcome[outcome]}</span>${outcomeWord(round)}</span>`;
}

type Said = GuardFinding["answer"] | "unmeasured";

const said: Readonly<Record<Said, readonly [kind: string, sign: string, word: string]>> = {
  ok: ["good", "✓", "ok"],
  unmeasured: ["", "–", "not measured"],
  warn: ["warn", "!", "warn"],
  stop: ["bad", "■", "stop"],
  "roll-back": ["bad", "↩", "roll back"],
};

/** What a guard said, as a sign and a word; of what is usual, where `short`, the word is for those who listen. */
export function answerChip(finding: Pick<GuardFinding, "answer" | "value">, short = false): Markup {
  const answer: Said = isUnmeasured(finding) ? "unmeasured" : finding.answer;
  const [kind, sign, word] = said[answer];
  return short && (answer === "ok" || answer === "unmeasured")
    ? html`<span class="chip ${kind}"><span aria-hidden="true">${sign}</span><span class="hidden">${word}</span></span>`
    : html`<span class="chip ${kind}"><span aria-hidden="true">${sign}</span>${word}</span>`;
}

/** How a meter of that unit is written: shares as percentages, difficulties with the task's own unit. */
export function unitFormat(unit: string): (value: number) => string {
  if (unit === "tokens") return (value) => (value < 1000 ? figure(value) : compact(value));
  if (unit !== "share") return (value) => figure(value).replace("-", "−");
  return (value) => {
    const text = percent(value, Number.isInteger(Math.round(value * 1e6) / 1e4) ? 0 : 1);
    return text.replace("-", "−");
  };
}

/** The same for an axis: as many digits as its steps need, so that no two are written alike. */
export function axisFormat(unit: string): (step: number) => (value: number) => string {
  if (unit !== "share") return () => unitFormat(unit);
  return (step) => {
    const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step * 100) + 1e-9)));
    return (value) => percent(value, digits).replace("-", "−");
  };
}

export function unitName(unit: string, { facts }: Pick<RunStory, "facts">): string {
  if (unit === "share") return "";
  return unit === "difficulty" ? (facts?.unit ?? unit) : unit;
}

/** Day and time, the same on every machine. */
export function moment(at: number | Date): string {
  const text = new Date(at).toLocaleString("en-GB", {
    dateStyle: "long",
    timeStyle: "short",
    timeZone: "UTC",
  });
  return `${text} UTC`;
}
