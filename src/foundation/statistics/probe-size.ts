import { randomStream } from "../base/index.ts";
import { Wealth } from "./betting.ts";

export interface ProbeSizeOptions {
  /** A loss of this much or more must not pass. */
  readonly margin: number;
  /** The level: wealth must reach 1/level. */
  readonly level: number;
  /** Share of items on which two models are taken to differ that are equally good. */
  readonly discordance: number;
  /** More pairs than this are not looked for. */
  readonly cap: number;
}

const wanted = 0.8;
const walks = 400;

/**
 * The fewest pairs with which a bet that the mean difference is above −margin is won with a chance of 80 % by a candidate that
 * lost nothing; null where `cap` pairs do not suffice. By simulation of 400 walks on a fixed stream: a standard error of two
 * points of that chance.
 *
 * @example
 * pairsToProtect({ margin: 0.02, level: 0.05, discordance: 0.1, cap: 4000 }) // 3526
 */
export function pairsToProtect({ margin, level, discordance, cap }: ProbeSizeOptions): number | null {
  const random = randomStream(0, "probe size");
  // A walk is the same whatever the cap.
  const ends = Array.from({ length: walks }, (_, walk) =>
    pairsOfWalk({ margin, level, discordance, cap }, random.fork(walk)),
  );
  const needed = ends.toSorted((a, b) => a - b)[Math.ceil(wanted * walks) - 1] as number;
  return needed > cap ? null : needed;
}

/** After how many pairs one walk has won the bet; infinite where the cap comes first. */
function pairsOfWalk(
  { margin, level, discordance, cap }: ProbeSizeOptions,
  random: { uniform(): number },
): number {
  const wealth = new Wealth({ than: "greater", mean: -margin });
  for (let pairs = 1; pairs <= cap; pairs++) {
    const drawn = random.uniform();
    wealth.bet([drawn < discordance / 2 ? 1 : drawn < discordance ? -1 : 0]);
    if (wealth.value >= 1 / level) return pairs;
  }
  return Number.POSITIVE_INFINITY;
}
