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

/** Wide enough for all values and never empty; shares stay within 0 and 1. */
export function domainOf(values: readonly number[], isShare: boolean): Domain {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = high > low ? 0 : Math.abs(high) > 0 ? Math.abs(high) * 0.1 : 1;
  const wide = { low: low - room, high: high + room };
  if (!isShare) return low >= 0 ? { low: Math.max(0, wide.low), high: wide.high } : wide;
  return {
    low: low >= 0 ? Math.max(0, wide.low) : wide.low,
    high: high <= 1 ? Math.min(1, wide.high) : wide.high,
  };
}

/** At most `most` whole numbers of a range, evenly apart, the first and mostly the last among them. */
export function roundTicks(first: number, last: number, most: number): number[] {
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, most - 1)));
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}
