import { type Axis, type AxisOptions, axisOf } from "./axis.ts";
import type { Row } from "./row.ts";

/** Lines are formulas, dots measurements with their intervals, dashes formulas that are wrong. */
type Kind = "line" | "dots" | "dashes" | "dots-and-dashes";

export interface Series {
  readonly name: string;
  readonly kind: Kind;
  /** Of {@link colours}. */
  readonly colour: number;
  readonly points: readonly Point[];
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface Panel {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly series: readonly Series[];
}

export interface Picture {
  readonly title: string;
  readonly subtitle: string;
  readonly panels: readonly Panel[];
  /** What the marks are; those of a theory if left out. */
  readonly note?: string;
  /** Panels beside each other, before the next stand below; all of them if left out. */
  readonly across?: number;
}

const theoryNote =
  "Lines: closed forms. Dots: measured, with 95 % intervals. Grey dashes: wrong on purpose, must fail.";

/** Okabe and Ito's, which are told apart with any eyes; the last, grey, is for what is wrong. */
const colours = ["#d55e00", "#0072b2", "#009e73", "#b0568b", "#8a6d00", "#777777"];
export const grey = colours.length - 1;

/** What was measured at some places, as dots. */
export function dotsOf(
  name: string,
  colour: number,
  rows: readonly { readonly x: number; readonly row: Row }[],
): Series {
  const points = rows.map(({ x, row: { measured, interval } }) => ({ x, y: measured, ...interval }));
  return { name, kind: "dots", colour, points };
}

/** A formula over a range of places. */
export function curveOf(
  name: string,
  colour: number,
  xs: readonly number[],
  formula: (x: number) => number,
  kind: Kind = "line",
): Series {
  return { name, kind, colour, points: xs.map((x) => ({ x, y: formula(x) })) };
}

const margin = { left: 66, right: 18, top: 74, bottom: 50 };
const plotHeight = 280;
const widthAlone = 600;
const widthBeside = 430;
const legendLine = 19;

/** A picture as an SVG that stands alone, black on white. */
export function drawPicture({
  title,
  subtitle,
  panels,
  note = theoryNote,
  across = panels.length,
}: Picture): string {
  const plotWidth = panels.length === 1 ? widthAlone : widthBeside;
  const panelWidth = margin.left + plotWidth + margin.right;
  const width = panelWidth * across;
  const legends = panels.map(({ series }) => legendOf(series));
  const below = margin.top + plotHeight + margin.bottom + 4;
  const rowHeight = below + legendLine * Math.max(...legends.map(({ length }) => length)) - margin.top + 16;
  const rows = Math.ceil(panels.length / across);
  const noteAt = margin.top + rows * rowHeight - 8;
  const height = noteAt + 14;
  const drawn = panels.map((panel, index) => {
    const entries = (legends[index] ?? []).map(
      (entry, line) => `<g transform="translate(${margin.left},${below + line * legendLine})">${entry}</g>`,
    );
    const [column, row] = [index % across, Math.floor(index / across)];
    return `<g transform="translate(${column * panelWidth},${row * rowHeight})">${drawPanel(panel, plotWidth)}${entries.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${quoted(`${title}: ${subtitle}`)}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<g font-family="system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif" font-size="12.5" fill="#222222">
<text x="16" y="28" font-size="17" font-weight="600">${quoted(title)}</text>
<text x="16" y="48" fill="#555555">${quoted(subtitle)}</text>
${drawn.join("\n")}
<text x="16" y="${noteAt}" fill="#555555">${quoted(note)}</text>
</g>
</svg>
`;
}

/** One entry for all series of a name and colour: its line, and its dots. */
function legendOf(series: readonly Series[]): string[] {
  const entries = new Map<string, Series[]>();
  for (const one of series) {
    const key = `${one.name} ${one.colour}`;
    entries.set(key, [...(entries.get(key) ?? []), one]);
  }
  return [...entries.values()].map((same) => {
    const { name, colour } = same[0] as Series;
    const marks = same.map(({ kind }) =>
      kind === "dots"
        ? `<circle cx="14" cy="0" r="3.6" fill="${colours[colour]}"/>`
        : `<path d="M0 0H28" ${stroke(kind, colour)}/>`,
    );
    return `${marks.join("")}<text x="36" y="4">${quoted(name)}</text>`;
  });
}

function drawPanel({ x, y, series }: Panel, plotWidth: number): string {
  const points = series.flatMap((one) => one.points);
  const across = axisOf(
    points.map((point) => point.x),
    x,
  );
  const up = axisOf(
    points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
    y,
  );
  const left = (value: number): string => (margin.left + across.place(value) * plotWidth).toFixed(1);
  const top = (value: number): string => (margin.top + (1 - up.place(value)) * plotHeight).toFixed(1);
  const [right, bottom] = [margin.left + plotWidth, margin.top + plotHeight];
  return [
    ...up.ticks.map(
      ({ value, text }) =>
        `<path d="M${margin.left} ${top(value)}H${right}" stroke="#e3e3e3"/><text x="${margin.left - 8}" y="${Number(top(value)) + 4}" text-anchor="end">${text}</text>`,
    ),
    ...thinned(across).map(
      ({ value, text }) =>
        `<path d="M${left(value)} ${bottom}v5" stroke="#888888"/><text x="${left(value)}" y="${bottom + 19}" text-anchor="middle">${text}</text>`,
    ),
    `<path d="M${margin.left} ${margin.top}V${bottom}H${right}" fill="none" stroke="#888888"/>`,
    `<text x="${margin.left + plotWidth / 2}" y="${bottom + 38}" text-anchor="middle">${quoted(x.label)}</text>`,
    `<text transform="translate(16,${margin.top + plotHeight / 2}) rotate(-90)" text-anchor="middle">${quoted(y.label)}</text>`,
    ...series.map((one) => drawSeries(one, left, top)),
  ].join("");
}

function drawSeries(
  { kind, colour, points }: Series,
  left: (value: number) => string,
  top: (value: number) => string,
): string {
  if (kind !== "dots") {
    const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${left(x)} ${top(y)}`);
    return `<path d="${path.join("")}" ${stroke(kind, colour)}/>`;
  }
  return points
    .map(({ x, y, low = y, high = y }) => {
      const bar = `<path d="M${left(x)} ${top(low)}V${top(high)}" stroke="${colours[colour]}" stroke-width="1.6"/>`;
      return `${bar}<circle cx="${left(x)}" cy="${top(y)}" r="3.6" fill="${colours[colour]}"/>`;
    })
    .join("");
}

function stroke(kind: Kind, colour: number): string {
  const dashes = kind === "dashes" ? "6 4" : kind === "dots-and-dashes" ? "8 3 2 3" : "none";
  return `fill="none" stroke="${colours[colour]}" stroke-width="1.8" stroke-dasharray="${dashes}"`;
}

/** At most twelve ticks fit across. */
function thinned({ ticks }: Axis): Axis["ticks"] {
  const every = Math.ceil(ticks.length / 12);
  return ticks.filter((_, index) => index % every === 0);
}

function quoted(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
