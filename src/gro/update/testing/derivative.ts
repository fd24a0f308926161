/** A function of some numbers with what it claims to be its derivative by each. */
export type Derived = (at: readonly number[]) => {
  readonly loss: number;
  readonly slopes: readonly number[];
};

/**
 * How far the claimed derivative lies from central differences at a point: the greatest distance over all coordinates, relative to
 * the greatest slope of all. Both are computed in double precision.
 */
export function derivativeFault(derived: Derived, at: readonly number[]): number {
  const { slopes } = derived(at);
  const numeric = at.map((value, index) => {
    const step = 1e-5 * Math.max(1, Math.abs(value));
    const lossAt = (shifted: number): number => derived(at.with(index, shifted)).loss;
    return (lossAt(value + step) - lossAt(value - step)) / (2 * step);
  });
  const scale = Math.max(1e-12, ...numeric.map(Math.abs));
  return Math.max(...numeric.map((slope, index) => Math.abs(slope - (slopes[index] ?? Number.NaN)))) / scale;
}

/** The same function with its derivative's sign turned: what a test of derivatives must not let pass. */
export function negated(derived: Derived): Derived {
  return (at) => {
    const { loss, slopes } = derived(at);
    return { loss, slopes: slopes.map((slope) => -slope) };
  };
}

export const derivativeTolerance = 1e-4;
