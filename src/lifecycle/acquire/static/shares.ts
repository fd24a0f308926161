export interface SharesRequest {
  /** Of the parts; they need not sum to one. */
  readonly weights: readonly number[];
  /** How many a round has. */
  readonly each: number;
  readonly rounds: number;
}

/**
 * How many of each part every round has, in whole numbers: each place goes to the part that is furthest behind its share so
 * far, over all rounds, so that a part too small for a place in every round still gets its share of places.
 */
export function sharesOfRounds({ weights, each, rounds }: SharesRequest): number[][] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const given = weights.map(() => 0);
  let place = 0;
  return Array.from({ length: rounds }, () => {
    const before = [...given];
    for (let end = place + each; place < end; place++) {
      let [furthest, most] = [0, Number.NEGATIVE_INFINITY];
      for (const [index, weight] of weights.entries()) {
        const behind = (weight / total) * (place + 1) - (given[index] ?? 0);
        if (behind > most + 1e-9) [furthest, most] = [index, behind];
      }
      given[furthest] = (given[furthest] ?? 0) + 1;
    }
    return given.map((count, index) => count - (before[index] ?? 0));
  });
}
