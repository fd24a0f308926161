import type { ShownSample } from "../../../foundation/contract/index.ts";
import { isOrdered } from "../kinds.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { type Content, html, type Markup, shortened } from "./html.ts";
import { part } from "./part.ts";
import { becameChip, samplesByKind } from "./samples-by-kind.ts";

/** Characters of a prompt or an answer that are shown. */
const mostCharacters = 2000;
/** Longer answers are shown without marks: where two long texts differ says little. */
const mostMarked = 300;
/** Rounds whose answers a page can bear. */
const mostRounds = 24;
/** Answers of each round but the newest; what changed comes first. */
const mostOfEarlier = 12;

/** Answers as they were: what was asked, what the champion said, what the candidate says, what is right. */
export function samplesSection({ rounds, preparation, facts }: RunStory): Content {
  const shown = [...(preparation === null ? [] : [preparation]), ...rounds].filter(
    ({ samples }) => samples.length > 0,
  );
  const [latest, ...earlier] = shown.slice(-mostRounds).reverse();
  if (latest === undefined) return null;
  const unit = facts?.unit ?? "difficulty";
  const ordered = isOrdered(facts);
  const answersOf = (round: RoundStory): Markup =>
    ordered ? listOf(round, unit) : samplesByKind(round.samples, round.round);
  const fewer = (round: RoundStory): RoundStory => ({
    ...round,
    samples: round.samples.toSorted((a, b) => unchanged(a) - unchanged(b)).slice(0, mostOfEarlier),
  });
  return part({
    id: "answers",
    title: "Answers",
    lead: ordered
      ? "Validation items that tell most: what became right, what became wrong, what is wrong just beyond the frontier. Marked is where an answer leaves the right one."
      : "Validation items of each kind: what became right, what became wrong, what is still wrong.",
    body: html`<h3>${nameOf(latest)}</h3>${answersOf(latest)}
${earlier.map(fewer).map((round) => html`<details><summary>${nameOf(round)}: ${round.samples.length} answers</summary>${answersOf(round)}</details>`)}`,
  });
}

/** 0 where the answer became right or wrong, else 1: what changed is to come first. */
function unchanged({ beforeRight = null, right }: ShownSample): number {
  return beforeRight === null || right === null || beforeRight === right ? 1 : 0;
}

function nameOf({ round }: RoundStory): string {
  return round === 0 ? "The base" : `Round ${round}`;
}

function listOf({ samples, round }: RoundStory, unit: string): Markup {
  return html`<ul class="samples" style="margin-top:.7rem">${samples.map((sample) => cardOf(sample, unit, round))}</ul>`;
}

function cardOf(sample: ShownSample, unit: string, round: number): Markup {
  const { difficulty, prompt, answer, before, beforeRight = null, after, right } = sample;
  const verdict =
    beforeRight !== null
      ? becameChip(sample)
      : right === null
        ? html`<span class="chip">not judged</span>`
        : right
          ? html`<span class="chip good"><span aria-hidden="true">✓</span>right</span>`
          : html`<span class="chip bad"><span aria-hidden="true">✗</span>wrong</span>`;
  const text = (value: string): string => shortened(value, mostCharacters);
  return html`<li class="card sample"><p class="head"><span>${unit} ${difficulty}</span>${verdict}</p><dl>
<dt>asked</dt><dd>${text(prompt)}</dd>
${before === null ? "" : html`<dt>champion</dt><dd>${compared(before, answer)}</dd>`}
<dt>${round === 0 ? "base" : "candidate"}</dt><dd>${right === true ? text(after) : compared(after, answer)}</dd>
${answer === null ? "" : html`<dt>right is</dt><dd>${text(answer)}</dd>`}</dl></li>`;
}

/** An answer with the stretch marked that is not as in the right one. */
function compared(given: string, wanted: string | null): Content {
  if (given === "") return html`<span class="quiet">(nothing)</span>`;
  if (wanted === null || given === wanted || Math.max(given.length, wanted.length) > mostMarked)
    return shortened(given, mostCharacters);
  const [own, other] = [[...given], [...wanted]];
  const least = Math.min(own.length, other.length);
  let head = 0;
  while (head < least && own[head] === other[head]) head += 1;
  let tail = 0;
  while (tail < least - head && own.at(-1 - tail) === other.at(-1 - tail)) tail += 1;
  const middle = own.slice(head, own.length - tail).join("");
  const [before, after] = [own.slice(0, head).join(""), own.slice(own.length - tail).join("")];
  return middle === "" ? given : html`${before}<mark>${middle}</mark>${after}`;
}
