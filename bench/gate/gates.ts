import { type Opening, type OpeningRequest, openGate } from "whetstone";
import { normalQuantile } from "./distributions.ts";

export type Gate = (request: OpeningRequest) => Promise<Opening>;

/** Never promotes, so it is never wrong. */
export const neverPromotes: Gate = async (request) => ({
  ...(await openGate(request)),
  outcome: "not-shown",
});

/** A test for a fixed number of items at the same level, looked at whenever new ones are answered. */
export const peeks: Gate = async (request) => {
  const opening = await openGate({ ...request, nextBlocks: async () => [] });
  const critical = normalQuantile(opening.alpha);
  let [blocks, pairs, sum, squares] = [0, 0, 0, 0];
  for (;;) {
    const answered = await request.nextBlocks(16);
    for (const block of answered) {
      blocks += 1;
      for (const { difference } of block.pairs) {
        pairs += 1;
        sum += difference;
        squares += difference ** 2;
      }
    }
    const error = Math.sqrt(Math.max(0, squares - sum ** 2 / pairs));
    const better = pairs >= 30 && sum > critical * error;
    if (better || answered.length === 0)
      return { ...opening, outcome: better ? "better" : "not-shown", blocks, pairs, observed: sum / pairs };
  }
};

/** Spends α anew at each opening. */
export const forgetsOpenings: Gate = (request) => openGate({ ...request, opening: 1 });

/** Takes what has no score out of the comparison. */
export const leavesVoidsOut: Gate = ({ nextBlocks, ...request }) =>
  openGate({
    ...request,
    nextBlocks: async (count) =>
      (await nextBlocks(count)).map(({ pairs }) => ({ pairs: pairs.filter((pair) => !pair.void) })),
  });

/** Tells all that it saw of items that the next opening uses again, and counts no histories. */
export const takesReusedForFresh: Gate = (request) => openGate({ ...request, reused: false });
