import { betGrid } from "./betting.ts";
import { levelAt } from "./spending.ts";

/** Share of items on which two models are taken to differ, where a plan must say what can be shown. */
export const plannedDiscordance = 0.25;

export interface PowerOptions {
  /** Most pairs that the bet may use. */
  readonly pairs: number;
  /** The level: wealth must reach 1/α. */
  readonly alpha: number;
  /** Share of items on which the two differ. */
  readonly discordance: number;
}

const wanted = 0.8;

/**
 * The smallest mean difference that a bet on m = 0 shows with a chance of 80 %: the gate's own power, not that of a test for
 * a fixed size. Null when even a difference on every discordant item (a gain as large as `discordance`) is shown less often.
 *
 * @example
 * smallestGain({ pairs: 125, alpha: 0.0304, discordance: 0.25 }) // 0.15: what a file of 500 lines can show
 */
export function smallestGain(options: PowerOptions): number | null {
  if (chanceToShow(options.discordance, options) < wanted) return null;
  let [low, high] = [0, options.discordance];
  for (let step = 0; step < 10; step++) {
    const middle = (low + high) / 2;
    if (chanceToShow(middle, options) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * How often a true gain is shown within so many pairs, looked at after each. A pair is better, worse or equal: discordant by
 * `discordance`. Equal ones change no wealth, so the chance is exact: that of a walk over better and worse pairs to have met
 * the boundary, averaged over the binomial number of discordant ones.
 */
export function chanceToShow(gain: number, { pairs, alpha, discordance }: PowerOptions): number {
  const up = (discordance + gain) / (2 * discordance);
  const spread = Math.sqrt(pairs * discordance * (1 - discordance));
  const most = Math.min(pairs, Math.ceil(pairs * discordance + 9 * spread));
  const boundary = boundaryOf(alpha, most);
  /** Chance to have so many better pairs and not to have met the boundary. */
  const waiting = new Float64Array(most + 1);
  waiting[0] = 1;
  let [shown, chance, odds] = [0, 0, Math.log1p(-discordance) * pairs];
  for (let count = 0; ; count++) {
    chance += Math.exp(odds) * shown;
    if (count === most) return chance;
    odds += Math.log(((pairs - count) / (count + 1)) * (discordance / (1 - discordance)));
    const least = boundary[count + 1] as number;
    for (let better = Math.min(count + 1, boundary[count] as number); better >= 0; better--) {
      const fell = (waiting[better] as number) * (1 - up);
      const rose = better === 0 ? 0 : (waiting[better - 1] as number) * up;
      if (better >= least) shown += fell + rose;
      waiting[better] = better >= least ? 0 : fell + rose;
    }
  }
}

export interface ShowableOptions {
  readonly pairs: number;
  /** Which opening on its items, from 1. */
  readonly opening: number;
  /** Of all openings together. */
  readonly alpha: number;
  readonly reused: boolean;
}

/** The smallest gain that an opening of the gate can show, at the discordance that plans reckon with; null where none. */
export function showableAt({ pairs, opening, alpha, reused }: ShowableOptions): number | null {
  return smallestGain({ pairs, alpha: levelAt(opening, alpha, reused), discordance: plannedDiscordance });
}

/** The fewest pairs with which anything can be shown: all of them better, wealth reaches 1/α. */
export function fewestPairs(alpha: number): number {
  let pairs = 1;
  while ((boundaryOf(alpha, pairs)[pairs] ?? 0) > pairs) pairs += 1;
  return pairs;
}

/** Of so many discordant pairs, how many must be better for wealth to reach 1/α; more than all where none suffices. */
function boundaryOf(alpha: number, most: number): Int32Array {
  const [ups, downs] = [
    betGrid.map((lambda) => Math.log1p(lambda)),
    betGrid.map((lambda) => Math.log1p(-lambda)),
  ];
  const reached = (better: number, worse: number): boolean => {
    let sum = 0;
    for (let index = 0; index < betGrid.length; index++)
      sum += Math.exp(better * (ups[index] as number) + worse * (downs[index] as number));
    return sum / betGrid.length >= 1 / alpha;
  };
  const boundary = new Int32Array(most + 1);
  let better = 0;
  for (let count = 0; count <= most; count++) {
    while (better <= count && !reached(better, count - better)) better += 1;
    boundary[count] = better;
  }
  return boundary;
}
