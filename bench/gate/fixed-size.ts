import { logFactorialsTo, massOf, normalQuantile } from "./distributions.ts";

/**
 * What the gate is compared with: a paired test for a number of items that is fixed before it begins, one-sided at level α,
 * with a chance of 80 % to show a true gain. Of the two that people use, the one that needs fewer items is taken.
 */
export interface PairedDesign {
  /** Share of items on which the two models differ. */
  readonly discordance: number;
  /** True mean difference in each stratum; all weigh the same. */
  readonly gains: readonly number[];
  /** One-sided. */
  readonly alpha: number;
}

const power = 0.8;

/** Items that a fixed-size paired test needs: the fewer of {@link exactPairs} and {@link normalPairs}. */
export function fixedPairs(design: PairedDesign): number {
  return Math.min(exactPairs(design), normalPairs(design));
}

/**
 * By the normal approximation, n = (z_α·√δ + z_β·√(δ − mean of g_s²))²/g² (Connor, Biometrics 43, 1987; the second variance is
 * that of stratified items). Its level is not guaranteed.
 */
export function normalPairs({ discordance, gains, alpha }: PairedDesign): number {
  const gain = meanOf(gains);
  const spread = discordance - meanOf(gains.map((one) => one ** 2));
  const [zAlpha, zBeta] = [normalQuantile(alpha), normalQuantile(1 - power)];
  return Math.ceil(((zAlpha * Math.sqrt(discordance) + zBeta * Math.sqrt(Math.max(0, spread))) / gain) ** 2);
}

/**
 * The fewest items with which the exact test of discordant pairs (McNemar's: binomial at ½, given how many there are) has its
 * power over the binomial number of them. Its level is guaranteed.
 */
export function exactPairs({ discordance, gains, alpha }: PairedDesign): number {
  const up = (discordance + meanOf(gains)) / (2 * discordance);
  const guess = normalPairs({ discordance, gains, alpha });
  const most = 2 * guess + 200;
  const logFactorials = logFactorialsTo(most);
  const shown = chancesToShow(up, { alpha, most, logFactorials });
  for (let pairs = Math.floor(guess / 2); pairs <= most; pairs++) {
    const spread = 10 * Math.sqrt(pairs * discordance * (1 - discordance)) + 10;
    const middle = pairs * discordance;
    let chance = 0;
    for (
      let count = Math.max(0, Math.floor(middle - spread));
      count <= Math.min(pairs, middle + spread);
      count++
    )
      chance += massOf(count, pairs, discordance, logFactorials) * (shown[count] as number);
    if (chance >= power) return pairs;
  }
  throw new Error(`a fixed-size test of ${most} items has no power of ${power}`);
}

interface Tables {
  readonly alpha: number;
  readonly most: number;
  readonly logFactorials: Float64Array;
}

/** Of so many discordant pairs, the chance that enough of them are better for the exact test: P(Bin(m, up) ≥ c_m). */
function chancesToShow(up: number, { alpha, most, logFactorials }: Tables): Float64Array {
  const chances = new Float64Array(most + 1);
  let [critical, level, chance] = [1, 0, 0];
  for (let count = 0; count <= most; count++) {
    if (level > alpha) {
      level -= massOf(critical, count, 0.5, logFactorials);
      chance -= massOf(critical, count, up, logFactorials);
      critical += 1;
    }
    chances[count] = chance;
    level += 0.5 * massOf(critical - 1, count, 0.5, logFactorials);
    chance += up * massOf(critical - 1, count, up, logFactorials);
  }
  return chances;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
