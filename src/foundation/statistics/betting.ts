/** The fixed grid of bets over which wealth is averaged: 12 values, evenly spaced in [.02, .95]. */
export const betGrid: readonly number[] = Array.from(
  { length: 12 },
  (_, index) => 0.02 + (0.93 * index) / 11,
);

export interface WealthOptions {
  /** The side that is bet on: that the mean difference is greater, or less, than `mean`. */
  readonly than: "greater" | "less";
  readonly mean: number;
}

/**
 * Wealth of a gambler who bets that the mean of differences in [−1, 1] is greater (or less) than `mean`: the average over
 * {@link betGrid} of Π(1 + λ(d − mean)), or Π(1 + λ(mean − d)). While that is not so, wealth is a non-negative
 * supermartingale that begins at 1, so the chance that it ever reaches 1/α is at most α, however often one looks
 * (Ville's inequality). Source: Waudby-Smith and Ramdas, arXiv 2010.09686, section 4.
 *
 * A block is bet on as one: its differences are independent, λ is constant within it, and their *pooled* mean is what is
 * tested. Members may differ in their own means: E Π(1 + λ(d_i − m)) = Π(1 + λ(μ_i − m)) ≤ (1 + λ(μ − m))ⁿ, by the
 * inequality of arithmetic and geometric means.
 *
 * Throws RangeError for a `mean` at which a factor could be negative.
 *
 * @example
 * const wealth = new Wealth({ than: "greater", mean: 0 });
 * wealth.bet([1, 0, 0, 1]);
 * wealth.value; // 2.29: some evidence that the mean is above 0
 */
export class Wealth {
  readonly #mean: number;
  readonly #sign: 1 | -1;
  /** Logarithm of each bet's wealth. */
  readonly #logs = new Float64Array(betGrid.length);

  constructor({ than, mean }: WealthOptions) {
    this.#mean = mean;
    this.#sign = than === "greater" ? 1 : -1;
    const worst = this.#sign * (-this.#sign - mean);
    if (!(1 + (betGrid.at(-1) as number) * worst >= 0))
      throw new RangeError(`no bet that the mean is ${than} than ${mean} is safe for differences in [−1, 1]`);
  }

  /** One block of independent differences, each in [−1, 1]. */
  bet(differences: readonly number[]): void {
    for (const [index, lambda] of betGrid.entries()) {
      let log = this.#logs[index] as number;
      for (const difference of differences) {
        if (!(Math.abs(difference) <= 1))
          throw new RangeError(`a difference lies in [−1, 1], not ${difference}`);
        log += Math.log1p(lambda * this.#sign * (difference - this.#mean));
      }
      this.#logs[index] = log;
    }
  }

  get value(): number {
    const most = Math.max(...this.#logs);
    if (most === Number.NEGATIVE_INFINITY) return 0;
    return (Math.exp(most) * this.#logs.reduce((sum, log) => sum + Math.exp(log - most), 0)) / betGrid.length;
  }
}
