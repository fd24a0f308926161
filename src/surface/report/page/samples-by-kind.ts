import type { ShownSample } from "../../../foundation/contract/index.ts";
import { type Content, html, type Markup, shortened } from "./html.ts";

/** Characters of a prompt or an answer that are shown. */
const mostCharacters = 2000;

/** Answers before and after, side by side, under the names of their kinds. */
export function samplesByKind(samples: readonly ShownSample[], round: number): Markup {
  const kinds = [...Map.groupBy(samples, ({ kind }) => kind ?? "")];
  return html`${kinds.map(
    ([kind, own]) => html`<h4>${kind}</h4>
<ul class="pairs">${own.map((sample) => cardOf(sample, round))}</ul>`,
  )}`;
}

function cardOf(sample: ShownSample, round: number): Markup {
  const { prompt, answer, before, beforeRight = null, after, right } = sample;
  return html`<li class="card pair"><p class="head">${becameChip(sample)}${answer === null ? "" : html`<span>right is <b>${shortened(answer, mostCharacters)}</b></span>`}</p>
<p class="asked">${shortened(prompt, mostCharacters)}</p>
<div class="sides${before === null ? " one" : ""}">${before === null ? "" : sideOf("champion", before, beforeRight)}${sideOf(round === 0 ? "base" : "candidate", after, right)}</div></li>`;
}

function sideOf(who: string, text: string, right: boolean | null): Markup {
  const [sign, word] = right === null ? ["?", "not judged"] : right ? ["✓", "right"] : ["✗", "wrong"];
  const kind = right === null ? "" : right ? "good" : "bad";
  return html`<div><p class="who">${who} <span class="${kind}"><span aria-hidden="true">${sign}</span> ${word}</span></p>
<div class="said" tabindex="0" role="region" aria-label="What the ${who} said">${saidOf(text)}</div></div>`;
}

function saidOf(text: string): Content {
  return text.trim() === "" ? html`<span class="quiet">(nothing)</span>` : shortened(text, mostCharacters);
}

/** What became of the answer, in a word. */
export function becameChip({ before, beforeRight, right }: ShownSample): Markup {
  const chip = (kind: string, word: string): Markup => html`<span class="chip ${kind}">${word}</span>`;
  if (right === null) return chip("", "not judged");
  if (before === null || beforeRight == null) return right ? chip("good", "right") : chip("bad", "wrong");
  if (right === beforeRight) return right ? chip("", "still right") : chip("", "still wrong");
  return right ? chip("good", "became right") : chip("bad", "became wrong");
}
