import type { Cost, Measurement, MeterReading } from "../../../foundation/contract/index.ts";
import type { RunStory } from "../story.ts";
import { type Content, html, type Markup } from "./html.ts";
import { lineChart } from "./line-chart.ts";
import { axisFormat, unitFormat, unitName } from "./page-words.ts";
import { part } from "./part.ts";
import type { Limits } from "./scale.ts";

interface MeterStory {
  readonly name: string;
  readonly unit: string;
  readonly readings: readonly {
    readonly round: number;
    readonly full: boolean;
    readonly reading: MeterReading;
  }[];
}

/** Every meter over the rounds, each in a small chart of its own. */
export function metersSection(story: RunStory): Content {
  const meters = [...metersOf(story), ...costsOf(story)];
  if (meters.length === 0) return null;
  const drawn = meters.map((meter) => ({ meter, figure: figureOf(meter, limitsOf(meter, meters), story) }));
  const silent = drawn.filter(({ figure }) => figure === undefined).map(({ meter }) => meter);
  return part({
    id: "meters",
    title: "Meters over the rounds",
    lead: "Read from validation items and training, of the base where it was measured too. A full dot is a round that was promoted; a band is a 95 % interval. The last ones are what each round cost.",
    body: html`<div class="charts">${drawn.map(({ figure }) => figure)}</div>
${silent.length === 0 ? "" : html`<p class="quiet small" style="margin-top:.8rem">Not measured: ${silent.map(({ name, readings }, index) => html`${index > 0 ? "; " : ""}${name}${readings.at(-1)?.reading.note ? ` (${readings.at(-1)?.reading.note})` : ""}`)}.</p>`}`,
  });
}

/** Meters that the base's validation holds as it is; others may have been read of its attempts. */
const ofBase: Readonly<Record<string, (base: Measurement) => Pick<MeterReading, "value" | "interval">>> = {
  accuracy: ({ mean, interval }) => ({ value: mean, interval }),
  frontier: ({ frontier90 }) => ({ value: frontier90 }),
  "frontier at half": ({ frontier50 }) => ({ value: frontier50 }),
};

function metersOf({ rounds, preparation }: RunStory): MeterStory[] {
  const base = preparation?.validation ?? null;
  const names = [...new Set(rounds.flatMap(({ readings }) => readings.map(({ meter }) => meter)))];
  return names.map((name) => {
    const readings = rounds.flatMap((round) =>
      round.readings
        .filter(({ meter }) => meter === name)
        .slice(0, 1)
        .map((reading) => ({ round: round.round, full: round.promoted, reading })),
    );
    const unit = readings[0]?.reading.unit ?? "";
    const read = Object.hasOwn(ofBase, name) ? ofBase[name] : undefined;
    const attempted = preparation?.readings.find(({ meter }) => meter === name);
    const reading = base === null || read === undefined ? attempted : { meter: name, unit, ...read(base) };
    const first = reading === undefined ? [] : [{ round: 0, full: false, reading }];
    return { name, unit, readings: [...first, ...readings] };
  });
}

const costs: readonly (readonly [name: string, unit: string, of: keyof Cost])[] = [
  ["tokens sampled", "tokens", "tokensSampled"],
  ["tokens trained", "tokens", "tokensTrained"],
  ["engine time", "s", "busySeconds"],
  ["wall time", "s", "wallSeconds"],
];

/** What each round cost: seconds are no part of what a ledger holds of its meters, which two runs must share. */
function costsOf({ rounds, engine }: RunStory): MeterStory[] {
  const price = ["price", engine?.currency ?? "currency", "currency"] as const;
  return [...costs, price].flatMap(([name, unit, of]): MeterStory[] => {
    const readings = rounds.flatMap(({ round, promoted, spent }) => {
      const value = spent?.[of];
      return value === undefined ? [] : [{ round, full: promoted, reading: { meter: name, unit, value } }];
    });
    return readings.length === 0 ? [] : [{ name, unit, readings }];
  });
}

/** Shares may be differences; nothing else that is measured can be negative. */
function limitsOf({ name, unit, readings }: MeterStory, meters: readonly MeterStory[]): Limits {
  if (unit === "share") return {};
  const solved = meters.find((meter) => meter.name === "pass@k")?.readings;
  // Where as many answers are right as items are solved, an item has one right answer.
  const single =
    name === "coverage" &&
    readings.every(({ round, reading }) => {
      const share = solved?.find((one) => one.round === round)?.reading.value;
      return reading.value === null || Math.abs(reading.value - (share ?? 0)) < 1e-9;
    });
  return { least: 0, most: single ? 1 : undefined };
}

function figureOf({ name, unit, readings }: MeterStory, limits: Limits, story: RunStory): Markup | undefined {
  const format = unitFormat(unit);
  const chart = lineChart({
    title: name,
    isShare: unit === "share",
    limits,
    format,
    axis: axisFormat(unit),
    series: [
      {
        name,
        kind: "two",
        points: readings.map(({ round, full, reading: { value, interval } }) => ({
          round,
          full,
          value,
          ...(interval ? { interval } : {}),
        })),
      },
    ],
  });
  if (chart === undefined) return undefined;
  const last = readings.findLast(({ reading }) => reading.value !== null)?.reading;
  const value = last?.value == null ? "" : format(last.value);
  const now =
    unit === "difficulty"
      ? html`<small>${unitName(unit, story)}</small> ${value}`
      : html`${value} <small>${unitName(unit, story)}</small>`;
  return html`<figure class="card chart"><figcaption><h3>${name}</h3><span class="now">${now}</span>${last?.note ? html`<span class="quiet">${last.note}</span>` : ""}</figcaption>${chart}</figure>`;
}
