import type { Tally } from "../../gro/method/index.ts";

/** FLOPs a parameter: 2 for a token that is sampled, or read to sample from (design §8). */
export const ofSampling = 2;
/** And 6 for a token that is passed forwards and backwards. */
export const ofTraining = 6;

/** What learning took, in FLOPs a parameter: prompts are counted once however many answers they get at a time. */
export function computeOf(tally: ComputedTally): number {
  const { tokensSampled, promptsRead, positionsTrained } = tally;
  const { trialTokensSampled = 0, trialPositionsTrained = 0 } = tally;
  return (
    ofSampling * (tokensSampled + promptsRead + trialTokensSampled) +
    ofTraining * (positionsTrained + trialPositionsTrained)
  );
}

type ComputedTally = Pick<Tally, "tokensSampled" | "promptsRead" | "positionsTrained"> &
  Partial<Pick<Tally, "trialTokensSampled" | "trialPositionsTrained">>;

export function computeOfAll(tallies: readonly Tally[]): number {
  return tallies.reduce((sum, tally) => sum + computeOf(tally), 0);
}
