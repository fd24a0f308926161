import type { RandomStream } from "../../src/foundation/base/index.ts";
import { logFactorialsTo, massOf } from "./distributions.ts";

/** Candidates that are all right on half of all items, of which the one that does best on a few items is taken. */
export interface Contest {
  readonly candidates: number;
  /** Items by which the best is chosen. */
  readonly items: number;
}

/** By how much the winner's score overstates what it is worth: the expected maximum of k binomials over n, minus ½. */
export function expectedOverstatement({ candidates, items }: Contest): number {
  const logFactorials = logFactorialsTo(items);
  let [below, expected] = [0, 0];
  for (let right = 0; right < items; right++) {
    below += massOf(right, items, 0.5, logFactorials);
    expected += 1 - below ** candidates;
  }
  return expected / items - 0.5;
}

export interface Played {
  /** Mean score of the winner on the items that chose it, minus what it is worth. */
  readonly naive: number;
  /** The same on as many items that chose nothing. */
  readonly audit: number;
}

/** Plays the contest so many times. */
export function playContest({ candidates, items }: Contest, times: number, random: RandomStream): Played {
  const draw = (): number => {
    let right = 0;
    for (let item = 0; item < items; item++) if (random.uniform() < 0.5) right += 1;
    return right / items;
  };
  let [naive, audit] = [0, 0];
  for (let time = 0; time < times; time++) {
    let best = 0;
    for (let candidate = 0; candidate < candidates; candidate++) best = Math.max(best, draw());
    naive += best;
    audit += draw();
  }
  return { naive: naive / times - 0.5, audit: audit / times - 0.5 };
}
