import { randomStream } from "../base/random.ts";
import { betGrid } from "./betting.ts";

export interface PowerOptions {
  /** Most pairs that the bet may use. */
  readonly pairs: number;
  /** The level: wealth must reach 1/α. */
  readonly alpha: number;
  /** Share of items on which the two differ. */
  readonly discordance: number;
}

/** Bets that are played out to find a chance: its standard error is then at most .02. */
const plays = 600;
const wanted = 0.8;

/**
 * The smallest mean difference that a bet on m = 0 shows with a chance of 80 %, found by playing the bet with a fixed
 * stream of random numbers: so it is the gate's own power, not a formula's. Null when even a difference on every
 * discordant item (a gain as large as `discordance`) is shown less often.
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

/** How often a true gain is shown within so many pairs. A pair is better, worse or equal: discordant by `discordance`. */
export function chanceToShow(gain: number, { pairs, alpha, discordance }: PowerOptions): number {
  const better = (discordance + gain) / 2;
  const random = randomStream(0, "power");
  const threshold = betGrid.length / alpha;
  let shown = 0;
  const wealth = new Float64Array(betGrid.length);
  for (let play = 0; play < plays; play++) {
    wealth.fill(1);
    for (let pair = 0; pair < pairs; pair++) {
      const draw = random.uniform();
      if (draw >= discordance) continue;
      const difference = draw < better ? 1 : -1;
      let sum = 0;
      for (let index = 0; index < betGrid.length; index++) {
        const value = (wealth[index] as number) * (1 + (betGrid[index] as number) * difference);
        wealth[index] = value;
        sum += value;
      }
      if (sum >= threshold) {
        shown += 1;
        break;
      }
    }
  }
  return shown / plays;
}
