import type { Cost, StageName } from "../../../foundation/contract/index.ts";
import { moreWords } from "../more-words.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { compact, duration, figure, percent, unbroken } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { part } from "./part.ts";

const kinds = {
  learn: "learning",
  measure: "validation",
  judge: "gate",
  audit: "audit",
  baseline: "baselines",
  other: "the rest",
} as const;
type Kind = keyof typeof kinds;

const kindOf: Readonly<Record<StageName, Kind>> = {
  prepare: "learn",
  optimize: "learn",
  evaluate: "measure",
  decide: "judge",
  audit: "audit",
  baseline: "baseline",
  acquire: "other",
  select: "other",
  refine: "other",
  guard: "other",
};

const classOf: Readonly<Record<Kind, string>> = {
  learn: "learn",
  measure: "measure",
  judge: "judge",
  audit: "audit-part",
  baseline: "other",
  other: "other",
};

/** Where the time went, and what the engine did in it. */
export function costSection(story: RunStory): Content {
  const { preparation, rounds, cost, engine } = story;
  const told = [...(preparation === null ? [] : [preparation]), ...rounds].filter(
    (round) => round.spent !== null || secondsOf(round) > 0,
  );
  if (told.length === 0) return null;
  const longest = Math.max(...told.map(secondsOf), 1e-9);
  const used = (Object.keys(kinds) as Kind[]).filter((kind) =>
    told.some((round) => partsOf(round)[kind] > 0),
  );
  const currency = cost?.currency === undefined ? null : (engine?.currency ?? "currency");
  const next = moreWords(story);
  return part({
    id: "cost",
    title: "Cost",
    lead: "Seconds of each round by what they went into. Busy is the share of the engine’s workers’ time that they computed in.",
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Cost by round"><table class="data"><thead><tr><th scope="col">round</th><th scope="col" style="width:40%">stages</th><th scope="col" class="end">time</th><th scope="col" class="end">busy</th><th scope="col" class="end">sampled</th><th scope="col" class="end">trained</th><th scope="col" class="end">steps</th>${currency === null ? "" : html`<th scope="col" class="end">${currency}</th>`}</tr></thead>
<tbody>${told.map((round) => rowOf(round, longest, currency !== null))}${cost === null ? "" : html`<tr><th scope="row">all</th><td></td><td class="end">${duration(cost.wallSeconds)}</td>${costCells(cost, currency !== null)}</tr>`}</tbody></table></div>
<div class="legend">${used.map((kind) => html`<span><span class="swatch ${classOf[kind]}" aria-hidden="true"></span>${kinds[kind]}</span>`)}</div>${next === undefined ? "" : html`<p class="small">What more would buy: ${unbroken(next)}.</p>`}</div>`,
  });
}

function partsOf({ stages }: RoundStory): Record<Kind, number> {
  const parts: Record<Kind, number> = { learn: 0, measure: 0, judge: 0, audit: 0, baseline: 0, other: 0 };
  for (const { stage, seconds } of stages) parts[kindOf[stage]] += seconds ?? 0;
  return parts;
}

function secondsOf(round: RoundStory): number {
  return Object.values(partsOf(round)).reduce((sum, seconds) => sum + seconds, 0);
}

function rowOf(round: RoundStory, longest: number, priced: boolean): Markup {
  const parts = Object.entries(partsOf(round)) as [Kind, number][];
  const known = parts.filter(([, seconds]) => seconds > 0);
  const said = known.map(([kind, seconds]) => `${kinds[kind]} ${duration(seconds)}`).join(", ");
  const widths = known.map(
    ([kind, seconds]) =>
      html`<i class="${classOf[kind]}" style="width:${((100 * seconds) / longest).toFixed(2)}%" title="${kinds[kind]}: ${duration(seconds)}"></i>`,
  );
  return html`<tr><th scope="row">${round.round === 0 ? "preparation" : round.round}</th><td><div class="bar" role="img" aria-label="${said}">${widths}</div></td><td class="end">${duration(round.spent?.wallSeconds ?? secondsOf(round))}</td>${costCells(round.spent, priced)}</tr>`;
}

function costCells(cost: Cost | null, priced: boolean): Markup {
  if (cost === null) return html`<td class="end quiet" colspan="${priced ? 5 : 4}">not metered yet</td>`;
  const busy = cost.availableSeconds > 0 ? percent(cost.busySeconds / cost.availableSeconds, 0) : "–";
  return html`<td class="end">${busy}</td><td class="end">${compact(cost.tokensSampled)}</td><td class="end">${compact(cost.tokensTrained)}</td><td class="end">${compact(cost.optimizerSteps)}</td>${priced ? html`<td class="end">${figure(cost.currency ?? 0)}</td>` : ""}`;
}
