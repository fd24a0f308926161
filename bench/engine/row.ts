/** One comparison of `bench:engine`. */
export interface Row {
  readonly work: string;
  readonly against: string;
  /** Sizes, lengths, how the other one ran, versions. */
  readonly setting: string;
  /** How many times as fast the engine is: the median of paired runs. */
  readonly ratio: number;
  /** What the ratio should at least be; null where no bar is set. */
  readonly bar: number | null;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
