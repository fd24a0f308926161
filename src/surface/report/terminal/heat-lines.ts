import { heatPaint, heatStep, heatSteps } from "../heat-colours.ts";
import type { HeatColumn, HeatMap, HeatRow, Zone } from "../heat-map.ts";
import { frontierWord, percent } from "../words.ts";
import { fitText, padStart } from "./display-width.ts";
import { heads, headWidth, type Layout, labelWidth, layoutOf, widthOf } from "./heat-layout.ts";
import { type Line, type Pen, printable, type Span, span } from "./paint.ts";

/** Accuracy by difficulty or kind and round: a title, heads, then a row a round: the base and the newest, `most` in all. */
export function heatLines(map: HeatMap, width: number, most: number, pen: Pen): Line[] {
  if (map.rows.length === 0 || map.columns.length === 0 || most < 1) return [];
  const layout = layoutOf(map, width - labelWidth, pen);
  const used = labelWidth + widthOf(map.columns, layout);
  const tells = width >= used + 2 + headWidth;
  const [base, ...later] = map.rows as [HeatRow, ...HeatRow[]];
  const shown = most === 1 ? map.rows.slice(-1) : [base, ...later.slice(-(most - 1))];
  return [
    titleOf(map, width, pen),
    layout.named ? namesOf(map, layout, tells, pen) : headOf(map, layout, tells),
    ...shown.map((row) => rowOf(row, map, layout, { tells, pen })),
  ];
}

function titleOf({ unit, columns, ordered }: HeatMap, width: number, pen: Pen): Line {
  const title = `accuracy by ${unit} and round`;
  const legend = legendOf(pen);
  const zones = ordered ? zonesOf(columns) : "";
  const room = width - title.length - legend.reduce((sum, { text }) => sum + text.length, 0);
  if (room < 2) return [span(title, "strong")];
  const told = zones !== "" && zones.length + 5 <= room ? `   ${zones}` : "";
  return [span(title, "strong"), span(told, "faint"), span(" ".repeat(room - told.length)), ...legend];
}

const zoneWords: Readonly<Record<Zone, string>> = {
  demonstrated: "demonstrated",
  "self-taught": "self-taught",
  measured: "only measured",
};

function zonesOf(columns: readonly HeatColumn[]): string {
  const zones = Object.keys(zoneWords) as Zone[];
  return zones
    .flatMap((zone) => {
      const own = columns.filter((column) => column.zone === zone).map(({ difficulty }) => difficulty);
      return own.length === 0 ? [] : [`${own[0]}-${own.at(-1)} ${zoneWords[zone]}`];
    })
    .join(", ");
}

function legendOf(pen: Pen): Span[] {
  const samples = [0.02, 0.3, 0.55, 0.8, 0.97];
  return [
    span("0 ", "faint"),
    ...samples.map((accuracy) => cellOf(accuracy, 2, pen, false)),
    span(" 100 %", "faint"),
  ];
}

/** Difficulties above their cells, as many as find room. */
function headOf({ columns, ordered }: HeatMap, { cell, gaps, together }: Layout, tells: boolean): Line {
  let head = "";
  let place = 0;
  columns.forEach(({ difficulty, zone }, index) => {
    if (gaps && index > 0 && zone !== columns[index - 1]?.zone) place += 1;
    if (index % together !== 0) return;
    const text = String(difficulty);
    const start = cell > 2 ? place + cell - 1 - text.length : place;
    if (head === "" || start > head.length) head = head.padEnd(start) + text;
    place += cell;
  });
  return [
    span(" ".repeat(labelWidth) + head.padEnd(place), "faint"),
    span(tells ? `  ${ordered ? heads.ordered : heads.kinds}` : "", "faint"),
  ];
}

/** Names of kinds, each above its own cell. */
function namesOf({ columns }: HeatMap, { cell }: Layout, tells: boolean, { glyphs }: Pen): Line {
  const names = columns.map(
    ({ name }) => `${padStart(fitText(printable(name, glyphs), cell - 1, glyphs.ellipsis), cell - 1)} `,
  );
  return [
    span(" ".repeat(labelWidth) + names.join(""), "faint"),
    span(tells ? `  ${heads.kinds}` : "", "faint"),
  ];
}

function rowOf(
  row: HeatRow,
  { columns, ordered }: HeatMap,
  layout: Layout,
  { tells, pen }: { readonly tells: boolean; readonly pen: Pen },
): Line {
  const { outcome, round, cells, frontier, mean: overall } = row;
  const mark = outcome === null ? " " : pen.glyphs.outcome[outcome];
  const name = round === 0 ? "base" : `${String(round).padStart(3)}${mark}`;
  const spans: Span[] = [
    span(
      name.padEnd(labelWidth),
      outcome === "promoted" ? "good" : outcome === "rolled-back" ? "bad" : undefined,
    ),
  ];
  for (let index = 0; index < columns.length; index += layout.together) {
    if (layout.gaps && index > 0 && columns[index]?.zone !== columns[index - 1]?.zone) spans.push(span(" "));
    const measured = cells
      .slice(index, index + layout.together)
      .flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
    const mean =
      measured.length === 0 ? null : measured.reduce((sum, accuracy) => sum + accuracy, 0) / measured.length;
    spans.push(cellOf(mean, layout.cell, pen, true));
  }
  const last = ordered ? frontierWord(frontier) : percent(overall);
  return [...spans, span(tells ? `  ${last.padStart(headWidth)}` : "")];
}

/** One cell: a coloured ground with the percentage where there is room for it, or a shade where there are no colours. */
function cellOf(accuracy: number | null, width: number, { colours, glyphs }: Pen, numbers: boolean): Span {
  if (accuracy === null) return span(glyphs.unmeasured.repeat(width), "faint");
  const step = heatStep(accuracy);
  if (colours >= 8) {
    const text = numbers && width > 3 ? String(Math.floor(100 * accuracy)).padStart(width - 1) : "";
    return span(text.padEnd(width), heatPaint(step, "dark"));
  }
  const level = Math.floor((step / (heatSteps * 0.9)) * (glyphs.shades.length - 1));
  return span((glyphs.shades[Math.min(level, glyphs.shades.length - 1)] ?? "").repeat(width));
}
