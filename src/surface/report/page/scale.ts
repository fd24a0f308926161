/** Round numbers that cover a range, about `most` steps of 1, 2 or 5 times a power of ten; of whole numbers, if those are meant. */
export function niceTicks(low: number, high: number, most: number, whole = false): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999_999) ?? 10) * power;
  const step = whole ? Math.max(1, nice) : nice;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => clean((first + index) * step));
}

/** 0.30000000000000004 is 0.3. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}

export interface Domain {
  readonly low: number;
  readonly high: number;
}

/** Differences below this share of the size of values come from how they were computed. */
const noise = 1e-9;

/** What a quantity can be at all; undefined where it has no end. */
export interface Limits {
  readonly least?: number | undefined;
  readonly most?: number | undefined;
}

/** Wide enough for all values and never empty; where all lie within what the quantity can be, so does it. */
export function domainOf(values: readonly number[], { least, most }: Limits): Domain {
  const low = cleaned(Math.min(...values));
  const high = cleaned(Math.max(...values));
  const size = Math.max(Math.abs(low), Math.abs(high));
  const room = high - low > noise * size ? 0 : size > 0 ? size * 0.1 : 1;
  return {
    low: least !== undefined && low >= least ? Math.max(least, low - room) : low - room,
    high: most !== undefined && high <= most ? Math.min(most, high + room) : high + room,
  };
}

/** What lies as near to a whole number as computing leaves it is that number. */
function cleaned(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < noise * Math.abs(whole) ? whole : value;
}

/** At most `most` whole numbers of a range, evenly apart, the first and mostly the last among them. */
export function roundTicks(first: number, last: number, most: number): number[] {
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, most - 1)));
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}
