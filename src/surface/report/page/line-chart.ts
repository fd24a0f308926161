import { type Content, html, type Markup } from "./html.ts";
import { domainOf, type Limits, niceTicks, roundTicks } from "./scale.ts";

export interface ChartPoint {
  readonly round: number;
  /** Null leaves a gap. */
  readonly value: number | null;
  readonly interval?: { readonly low: number; readonly high: number };
  /** A full dot: the round was promoted. */
  readonly full: boolean;
}

export interface ChartSeries {
  readonly name: string;
  /** The colour, and with it which of two lines it is. */
  readonly kind: "one" | "two";
  readonly points: readonly ChartPoint[];
}

export interface ChartOptions {
  readonly title: string;
  readonly series: readonly ChartSeries[];
  readonly isShare: boolean;
  /** What a value can be: where all are, an interval that goes beyond, as computing may have it, is drawn to there. */
  readonly limits?: Limits;
  /** How a value is written in words. */
  readonly format: (value: number) => string;
  /** How the axis is written, whose values are a step apart; default as in words. */
  readonly axis?: (step: number) => (value: number) => string;
  readonly width?: number;
  readonly height?: number;
}

type Place = (value: number) => number;

/** A line a series over rounds, with its intervals as a band; it scales with the page. Undefined when nothing was measured. */
export function lineChart(options: ChartOptions): Markup | undefined {
  const { isShare, format, title, width = 320, height = 170 } = options;
  const series = withinLimits(options);
  const points = series.flatMap((one) => one.points);
  const values = points.flatMap(({ value, interval }) =>
    value === null ? [] : [value, ...(interval ? [interval.low, interval.high] : [])],
  );
  if (values.length === 0) return undefined;
  const domain = domainOf(values, { least: 0, most: isShare ? 1 : options.limits?.most });
  const ticks = niceTicks(domain.low, domain.high, 4, !isShare && values.every(Number.isInteger));
  const labels = ticks.map(options.axis?.((ticks[1] ?? 1) - (ticks[0] ?? 0)) ?? format);
  const left = 10 + 6.4 * Math.max(...labels.map((label) => label.length));
  const named = series.length > 1 ? 7 * Math.max(...series.map(({ name }) => name.length)) + 8 : 0;
  const frame = { left, right: width - 10 - named, top: 8, bottom: height - 34 };
  const rounds = points.map(({ round }) => round);
  const [first, last] = [Math.min(...rounds), Math.max(...rounds)];
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const x: Place = (round) =>
    last === first
      ? (frame.left + frame.right) / 2
      : frame.left + 8 + ((round - first) / (last - first)) * (frame.right - frame.left - 16);
  const y: Place = (value) =>
    high === low
      ? (frame.top + frame.bottom) / 2
      : frame.bottom - ((value - low) / (high - low)) * (frame.bottom - frame.top);
  const most = Math.max(2, Math.floor((frame.right - frame.left) / 26));
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${spoken(title, series, format)}">
${ticks.map((tick, index) => html`<line class="${index === 0 ? "axis" : "grid"}" x1="${at(frame.left)}" x2="${at(frame.right)}" y1="${at(y(tick))}" y2="${at(y(tick))}"/><text x="${at(frame.left - 7)}" y="${at(y(tick) + 4)}" text-anchor="end">${labels[index]}</text>`)}
${roundTicks(first, last, most).map((round) => html`<text x="${at(x(round))}" y="${at(frame.bottom + 16)}" text-anchor="middle">${round === 0 ? "base" : round}</text>`)}
<text x="${at((frame.left + frame.right) / 2)}" y="${height - 3}" text-anchor="middle">round</text>
${series.map((one) => drawn(one, x, y, format))}${endLabels(series, x, y)}</svg>`;
}

function withinLimits({ series, limits: { least, most } = {} }: ChartOptions): readonly ChartSeries[] {
  const low = least ?? Number.NEGATIVE_INFINITY;
  const high = most ?? Number.POSITIVE_INFINITY;
  const within = (value: number): number => Math.min(high, Math.max(low, value));
  const all = series.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  if (all.some((value) => within(value) !== value)) return series;
  return series.map((one) => ({
    ...one,
    points: one.points.map(({ interval, ...point }) =>
      interval === undefined
        ? point
        : { ...point, interval: { low: within(interval.low), high: within(interval.high) } },
    ),
  }));
}

function drawn(
  { kind, points, name }: ChartSeries,
  x: Place,
  y: Place,
  format: (value: number) => string,
): Markup {
  const stretches = stretchesOf(points);
  return html`${stretches.map((stretch) => html`${bandOf(stretch, kind, x, y)}<path class="line ${kind}" d="${stretch.map((point, index) => `${index === 0 ? "M" : "L"}${at(x(point.round))} ${at(y(point.value))}`).join("")}"/>`)}${stretches
    .flat()
    .map(
      ({ round, value, interval, full }) =>
        html`<circle class="dot ${kind}${full ? " full" : ""}" cx="${at(x(round))}" cy="${at(y(value))}" r="3.5"><title>${name}, ${nameOf(round)}: ${format(value)}${interval ? ` (${format(interval.low)} to ${format(interval.high)})` : ""}</title></circle>`,
    )}`;
}

type Known = ChartPoint & { readonly value: number };

/** Neighbours that were measured; a gap parts them. */
function stretchesOf(points: readonly ChartPoint[]): Known[][] {
  const stretches: Known[][] = [[]];
  for (const { value, ...point } of points) {
    if (value === null) stretches.push([]);
    else stretches.at(-1)?.push({ ...point, value });
  }
  return stretches.filter((stretch) => stretch.length > 0);
}

function bandOf(stretch: readonly Known[], kind: string, x: Place, y: Place): Content {
  const known = stretch.flatMap(({ round, interval }) => (interval ? [{ round, ...interval }] : []));
  if (known.length === 0) return null;
  // A single round has no width: its interval is a thin bar.
  const [half, edges] = known.length === 1 ? [4, [...known, ...known]] : [0, known];
  const corner = (round: number, value: number, index: number): string =>
    `${at(x(round) + (half === 0 ? 0 : index === 0 ? -half : half))},${at(y(value))}`;
  const upper = edges.map(({ round, high }, index) => corner(round, high, index));
  const lower = edges.map(({ round, low }, index) => corner(round, low, index));
  return html`<polygon class="band ${kind}" points="${[...upper, ...lower.reverse()].join(" ")}"/>`;
}

/** Names at the lines' ends, pushed apart where they would meet. */
function endLabels(series: readonly ChartSeries[], x: Place, y: Place): Content {
  if (series.length < 2) return null;
  const ends = series
    .flatMap(({ name, kind, points }) => {
      const end = points.findLast((point): point is Known => point.value !== null);
      return end === undefined ? [] : [{ name, kind, x: x(end.round) + 9, y: y(end.value) }];
    })
    .sort((a, b) => a.y - b.y);
  const [upper, lower] = ends;
  if (upper !== undefined && lower !== undefined && lower.y - upper.y < 14) {
    const middle = (upper.y + lower.y) / 2;
    upper.y = middle - 7;
    lower.y = middle + 7;
  }
  return ends.map(
    (end) => html`<text class="label ${end.kind}" x="${at(end.x)}" y="${at(end.y + 4)}">${end.name}</text>`,
  );
}

function spoken(title: string, series: readonly ChartSeries[], format: (value: number) => string): string {
  const said = series.map(({ name, points }) => {
    const known = points.flatMap(({ round, value }) =>
      value === null ? [] : [`${nameOf(round)}: ${format(value)}`],
    );
    return `${series.length > 1 ? `${name}: ` : ""}${known.join(", ")}`;
  });
  return `${title} over rounds. ${said.join(". ")}`;
}

function nameOf(round: number): string {
  return round === 0 ? "base" : `round ${round}`;
}

/** Coordinates with a tenth of a pixel. */
function at(value: number): number {
  return Math.round(value * 10) / 10;
}
