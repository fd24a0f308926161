import type { Gain } from "../../../foundation/contract/index.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { whole } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { lineChart } from "./line-chart.ts";
import { intervalWords, points } from "./page-words.ts";
import { part } from "./part.ts";

/** A promotion with what the run saw of it, and what items say that nothing is steered by. */
interface Promotion {
  readonly round: number;
  readonly naive: Gain | null;
  readonly audit: Gain;
}

/** The winner's curse, as far as it struck this run: the naive gain of every promotion beside its audit gain. */
export function naiveGainSection({ rounds }: RunStory): Content {
  const promotions = rounds.flatMap(promotionOf);
  if (promotions.length === 0) return null;
  const chart = lineChart({
    title: "Gain of each promotion, in points",
    isShare: false,
    format: (value) => points(value / 100),
    width: 460,
    height: 240,
    series: [
      {
        name: "naive",
        kind: "one",
        points: promotions.map(({ round, naive }) => pointOf(round, naive)),
      },
      { name: "audit", kind: "two", points: promotions.map(({ round, audit }) => pointOf(round, audit)) },
    ],
  });
  return part({
    id: "naive",
    title: "The naive gain, and the audit gain",
    lead: "The naive gain is the candidate’s on validation items, by which the run steers: what wins there was also lucky there, so it tends to overstate. The audit gain is measured after the decision, on items that chose nothing, and only it is claimed. A band is a 95 % interval.",
    body: html`<div class="split-two"><figure class="card chart"><figcaption><h3>Gain of each promotion, in points</h3></figcaption>${chart}</figure>
<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Naive and audit gain by promotion"><table class="data"><thead><tr><th scope="col" class="end">round</th><th scope="col" class="end">naive gain</th><th scope="col" class="end">audit gain</th><th scope="col" class="end">overstated by</th></tr></thead>
<tbody>${promotions.map(rowOf)}</tbody></table></div>${meanOf(promotions)}</div></div>`,
  });
}

function promotionOf({ round, promoted, validationGain, audit }: RoundStory): Promotion[] {
  return promoted && audit !== null ? [{ round, naive: validationGain, audit: audit.gain }] : [];
}

function pointOf(round: number, gain: Gain | null) {
  if (gain === null) return { round, value: null, full: true };
  const { mean, interval } = gain;
  return {
    round,
    value: 100 * mean,
    interval: { low: 100 * interval.low, high: 100 * interval.high },
    full: true,
  };
}

function rowOf({ round, naive, audit }: Promotion): Markup {
  return html`<tr><th scope="row" class="end">${round}</th>${gainCell(naive)}${gainCell(audit)}<td class="end">${naive === null ? html`<span class="quiet">–</span>` : points(naive.mean - audit.mean)}</td></tr>`;
}

function gainCell(gain: Gain | null): Markup {
  if (gain === null) return html`<td class="end quiet">–</td>`;
  return html`<td class="end">${points(gain.mean)}<br><span class="quiet small">${intervalWords(gain)}<br>${whole(gain.pairs)} pairs</span></td>`;
}

function meanOf(promotions: readonly Promotion[]): Markup | null {
  const known = promotions.flatMap(({ naive, audit }) =>
    naive === null ? [] : [{ naive: naive.mean, audit: audit.mean }],
  );
  if (known.length < 2) return null;
  const mean = (key: "naive" | "audit"): number =>
    known.reduce((sum, one) => sum + one[key], 0) / known.length;
  return html`<p class="quiet small" style="margin-top:.8rem">On average over ${known.length} promotions: naive ${points(mean("naive"))}, audit ${points(mean("audit"))}, overstated by ${points(mean("naive") - mean("audit"))} points.</p>`;
}
