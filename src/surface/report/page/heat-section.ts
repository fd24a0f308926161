import { heatStep, heatSteps } from "../heat-colours.ts";
import {
  type HeatCell,
  type HeatColumn,
  type HeatMap,
  type HeatRow,
  heatMapOf,
  type Zone,
} from "../heat-map.ts";
import type { RunStory } from "../story.ts";
import { frontierWord, oneOf, percent } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { outcomeChip } from "./page-words.ts";
import { part } from "./part.ts";

const zoneWords: Readonly<Record<Zone, string>> = {
  demonstrated: "shown by demonstrations",
  "self-taught": "taught by itself",
  measured: "only measured",
};

/** Accuracy by difficulty and round, as a table that is also a picture. */
export function heatSection(story: RunStory): Content {
  const map = heatMapOf(story);
  if (map.rows.length === 0 && map.auditRows.length === 0) return null;
  const { unit, columns, ordered } = map;
  const frontier = `The orange edge is the frontier: every ${oneOf(unit)} up to it is at least 90 % right. `;
  return part({
    id: "accuracy",
    title: `Accuracy by ${oneOf(unit)} and round`,
    lead: `Each cell is the share of right answers, in percent. ${ordered ? frontier : ""}The mean is over the target distribution.`,
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Accuracy by ${unit} and round">
<table class="heat${ordered ? densityOf(map) : " kinds"}"><thead>
${ordered ? zoneHeads(columns) : ""}
<tr><th scope="col">${unit}</th>${columns.map((column, index) => html`${isNewZone(columns, index) ? gap : ""}<th scope="col">${column.name}${column.enumerated ? html`<abbr title="enumerated: every item is answered">°</abbr>` : ""}</th>`)}<th scope="col" title="over the target distribution">mean</th>${ordered ? html`<th scope="col">frontier</th>` : ""}<th scope="col">decision</th></tr>
</thead>
${bodyOf(map, map.rows, "On validation items, which steer the run", story)}
${map.auditRows.length === 0 ? "" : bodyOf(map, map.auditRows, "On audit items, which nothing is steered by", story)}
</table></div>${legendOf(map)}</div>`,
  });
}

/** Above so many rows or columns the picture says more than its numbers. */
const manyRows = 24;
const manyColumns = 26;

function densityOf({ rows, columns }: HeatMap): string {
  return `${rows.length > manyRows ? " low" : ""}${columns.length > manyColumns ? " slim" : ""}`;
}

const gap = html`<td class="gap"></td>`;

/** What the stretches of an ordered scale are. */
function zoneHeads(columns: readonly HeatColumn[]): Markup {
  return html`<tr><td></td>${zonesOf(columns).map(({ zone, span }, index) => html`${index > 0 ? gap : ""}<th class="zone" scope="colgroup" colspan="${span}"><span style="max-width:${span * 2.3}rem">${zoneWords[zone]}</span></th>`)}<td colspan="3"></td></tr>`;
}

function bodyOf(map: HeatMap, rows: readonly HeatRow[], title: string, story: RunStory): Markup {
  const width = map.columns.length + zonesOf(map.columns).length + 3;
  return html`<tbody class="${rows[0]?.split ?? ""}"><tr><th class="split" scope="rowgroup" colspan="${width}">${title}</th></tr>
${rows.map((row) => rowOf(row, map, story))}</tbody>`;
}

function rowOf(row: HeatRow, { columns, unit, ordered }: HeatMap, { rounds }: RunStory): Markup {
  const { round, cells, mean, frontier, champion, split } = row;
  const told = split === "validation" ? rounds.find((one) => one.round === round) : undefined;
  const name = round === 0 ? "base" : `round ${round}`;
  return html`<tr><th scope="row">${name}${champion ? html` <span title="champion" aria-label="champion">★</span>` : ""}</th>
${cells.map((cell, index) => html`${isNewZone(columns, index) ? gap : ""}${cellOf(cell, columns[index], { name, unit: ordered ? `${unit} ` : "", frontier })}`)}
<td class="side">${percent(mean)}</td>${ordered ? html`<td class="side">${frontierWord(frontier)}</td>` : ""}<td class="side left">${told ? outcomeChip(told) : ""}</td></tr>`;
}

interface Place {
  readonly name: string;
  /** Before the difficulty; nothing before the name of a kind. */
  readonly unit: string;
  readonly frontier: number | null;
}

function cellOf(
  { accuracy, items }: HeatCell,
  column: HeatColumn | undefined,
  { name, unit, frontier }: Place,
): Markup {
  if (accuracy === null) return html`<td class="none"><span class="hidden">not measured</span></td>`;
  const edge = column?.difficulty === frontier ? " edge" : "";
  // 99.6 % is not all: only a whole 1 is written as 100.
  const shown = accuracy >= 1 ? "100" : String(Math.min(99, Math.round(100 * accuracy)));
  return html`<td class="h${heatStep(accuracy)}${edge}" title="${name}, ${unit}${column?.name ?? ""}: ${percent(accuracy)} of ${items} items">${shown}</td>`;
}

function zonesOf(columns: readonly HeatColumn[]): { readonly zone: Zone; readonly span: number }[] {
  const zones: { zone: Zone; span: number }[] = [];
  columns.forEach(({ zone }, index) => {
    const last = zones.at(-1);
    if (last === undefined || isNewZone(columns, index)) zones.push({ zone, span: 1 });
    else last.span += 1;
  });
  return zones;
}

function isNewZone(columns: readonly HeatColumn[], index: number): boolean {
  return index > 0 && columns[index]?.zone !== columns[index - 1]?.zone;
}

function legendOf({ columns, unit, ordered }: HeatMap): Markup {
  const enumerated = columns.some((column) => column.enumerated);
  const steps = Array.from({ length: heatSteps + 1 }, (_, step) => step);
  return html`<div class="legend"><span class="scale">0 %<span aria-hidden="true">${steps.map((step) => html`<i class="h${step}"></i>`)}</span>100 %</span>
${ordered ? html`<span><span class="key" aria-hidden="true"></span> frontier</span>` : ""}<span>★ champion</span>
${enumerated ? html`<span>° has at most 1,000 items: all of them are answered, there is no split, and nothing is claimed for unseen ones of that ${oneOf(unit)}${columns.every((column) => column.enumerated) ? "" : "; the mean leaves them out"}</span>` : ""}</div>`;
}
