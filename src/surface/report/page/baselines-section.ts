import type { Baseline } from "../../../foundation/contract/index.ts";
import { accuracyWords, baselineName, baselineVerdict, comparedWords } from "../baseline-words.ts";
import type { RunStory } from "../story.ts";
import { unbroken } from "../words.ts";
import { type Content, html, type Markup, prose } from "./html.ts";
import { intervalWords, points } from "./page-words.ts";
import { part } from "./part.ts";

/** What other ways came to with the run's compute, beside what the run had made of it. */
export function baselinesSection({ baselines: { plan, leftOut, measured } }: RunStory): Content {
  if (plan === null && leftOut === null && measured.length === 0) return null;
  const why =
    measured.length === 0 && plan?.mode === "off"
      ? `No baselines were measured: ${plan.reason}.`
      : leftOut === null
        ? undefined
        : `${measured.length === 0 ? "No baselines were measured" : "The others were left out"}: ${leftOut}.`;
  if (measured.length === 0 && why === undefined) return null;
  return part({
    id: "baselines",
    title: "Baselines: the same compute, spent otherwise",
    lead: "Compute is counted as 2 operations a parameter for each token that is sampled or read, and 6 for each that is trained. The base with many answers is not trained; permuted rewards are the run’s own rounds, with each batch’s rewards dealt out at random. All answer the same validation items; brackets hold a 95 % interval.",
    body: html`<div class="card">${measured.length === 0 ? "" : tableOf(measured)}${why === undefined ? "" : html`<p class="quiet small">${prose(unbroken(why))}</p>`}</div>`,
  });
}

function tableOf(measured: readonly Baseline[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Baselines"><table class="data"><thead><tr><th scope="col">baseline</th><th scope="col">what was done</th><th scope="col" class="end">accuracy</th><th scope="col" class="end">the run’s own</th><th scope="col" class="end">own ahead by</th><th scope="col">what that says</th></tr></thead>
<tbody>${measured.map(rowOf)}</tbody></table></div>`;
}

function rowOf(baseline: Baseline): Markup {
  const { measured, text } = baseline;
  const name = html`<th scope="row">${baselineName(baseline)}<br><span class="quiet small">at ${comparedWords(baseline)}</span></th>`;
  if (measured === null) return html`<tr>${name}<td colspan="5" class="quiet">none: ${text}</td></tr>`;
  const { measurement, own, ahead } = measured;
  return html`<tr>${name}<td>${text}</td><td class="end">${accuracyWords(measurement)}</td><td class="end">${accuracyWords(own.measurement)}</td><td class="end">${points(ahead.mean)}<br><span class="quiet small">${intervalWords(ahead)}</span></td><td>${baselineVerdict(baseline)}</td></tr>`;
}
