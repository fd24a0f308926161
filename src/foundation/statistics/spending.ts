/**
 * The level of the r-th opening on items that openings before it used too: a candidate then depends on the bits (promoted or
 * not) that they gave, of which there are 2^(r−1) histories, and the level is shared among them. The union over histories
 * stays below {@link spentAt}, and over all openings below α.
 */
export function spentOnReusedAt(opening: number, alpha: number): number {
  return spentAt(opening, alpha) / 2 ** (opening - 1);
}

/** The level of an opening, on items that are fresh or reused. */
export function levelAt(opening: number, alpha: number, reused: boolean): number {
  return reused ? spentOnReusedAt(opening, alpha) : spentAt(opening, alpha);
}

/**
 * The level of the r-th opening: α·6/(π²r²). Over any number of openings the levels add up to α at most, so the chance of
 * even one false promotion stays below α.
 */
export function spentAt(opening: number, alpha: number): number {
  if (!(Number.isInteger(opening) && opening >= 1))
    throw new RangeError(`openings count from 1, not ${opening}`);
  return (alpha * 6) / (Math.PI ** 2 * opening ** 2);
}

/**
 * The chance of even one false promotion over all openings, by the sum of what they spend: each earlier one what it did (α may have
 * been another then), this one and all later ones α's own share. It is α where that never changed.
 */
export function boundAfter(spentBefore: readonly number[], alpha: number): number {
  return spentBefore.reduce((bound, spent, index) => bound + spent - spentAt(index + 1, alpha), alpha);
}
