/** The fixed grid of bets over which wealth is averaged: 12 values, evenly spaced in [.02, .95]. */
export const betGrid: readonly number[] = Array.from(
  { length: 12 },
  (_, index) => 0.02 + (0.93 * index) / 11,
);

const grid = Float64Array.from(betGrid);
/** Factors are multiplied as they are, without a logarithm for each, as long as no product of theirs can vanish. */
const mostFactors = 64;

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
  /** Of each bet: the logarithm of its wealth up to the last fold, the same as a number, and the factors since then. */
  readonly #logs = new Float64Array(betGrid.length);
  readonly #folded = new Float64Array(betGrid.length).fill(1);
  readonly #products = new Float64Array(betGrid.length).fill(1);
  #factors = 0;

  constructor({ than, mean }: WealthOptions) {
    this.#mean = mean;
    this.#sign = than === "greater" ? 1 : -1;
    const worst = this.#sign * (-this.#sign - mean);
    if (!(1 + (betGrid.at(-1) as number) * worst >= 0))
      throw new RangeError(`no bet that the mean is ${than} than ${mean} is safe for differences in [−1, 1]`);
  }

  /** One block of independent differences, each in [−1, 1]. */
  bet(differences: readonly number[]): void {
    const products = this.#products;
    for (const difference of differences) {
      if (!(Math.abs(difference) <= 1))
        throw new RangeError(`a difference lies in [−1, 1], not ${difference}`);
      const step = this.#sign * (difference - this.#mean);
      if (step === 0) continue;
      for (let index = 0; index < products.length; index++)
        products[index] = (products[index] as number) * (1 + (grid[index] as number) * step);
      this.#factors += 1;
      if (this.#factors === mostFactors) this.#fold();
    }
  }

  get value(): number {
    let sum = 0;
    for (let index = 0; index < grid.length; index++) {
      const product = this.#products[index] as number;
      if (product > 0) sum += (this.#folded[index] as number) * product;
    }
    return sum / grid.length;
  }

  #fold(): void {
    for (let index = 0; index < grid.length; index++) {
      const log = (this.#logs[index] as number) + Math.log(this.#products[index] as number);
      this.#logs[index] = log;
      this.#folded[index] = Math.exp(log);
      this.#products[index] = 1;
    }
    this.#factors = 0;
  }
}
