import { niceTicks } from "../../src/surface/report/page/scale.ts";

export interface AxisOptions {
  /** What is measured, and in which unit. */
  readonly label: string;
  readonly log?: boolean;
  /** Whole numbers only. */
  readonly whole?: boolean;
  /** The axis reaches at least from here, and to there. */
  readonly from?: number;
  readonly to?: number;
}

export interface Axis {
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
  /** Where a value lies between the ends, 0 to 1. */
  readonly place: (value: number) => number;
}

/** An axis on which all values lie: its ends are ticks, or the values' own ends where they are decades or rounds. */
export function axisOf(
  values: readonly number[],
  { log = false, whole = false, from, to }: AxisOptions,
): Axis {
  const low = Math.min(...values, from ?? Number.POSITIVE_INFINITY);
  const high = Math.max(...values, to ?? Number.NEGATIVE_INFINITY);
  if (log) {
    const ticks = decades(low, high);
    const [first, last] = [Math.min(low, ticks[0] as number), Math.max(high, ticks.at(-1) as number)];
    const place = (value: number): number => Math.log(value / first) / Math.log(last / first);
    return { ticks: ticks.map((value) => ({ value, text: String(Number(value.toPrecision(3))) })), place };
  }
  const ticks = niceTicks(low, high, 6, whole);
  const [first, last] = whole ? [low, high] : [ticks[0] as number, ticks.at(-1) as number];
  const digits = Math.max(...ticks.map((value) => decimalsOf(value)));
  return {
    ticks: ticks
      .filter((value) => value >= first && value <= last)
      .map((value) => ({ value, text: value.toFixed(digits).replace("-", "−") })),
    place: (value) => (value - first) / (last - first),
  };
}

/** Powers of ten around the values; of two, where these reach over fewer than two powers of ten. */
function decades(low: number, high: number): number[] {
  const base = high / low < 100 ? 2 : 10;
  const exponent = (value: number): number => Math.log(value) / Math.log(base);
  const first = Math.floor(exponent(low) + 1e-9);
  const last = Math.ceil(exponent(high) - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => base ** (first + index));
}

function decimalsOf(value: number): number {
  return String(Number(value.toPrecision(6))).split(".")[1]?.length ?? 0;
}
