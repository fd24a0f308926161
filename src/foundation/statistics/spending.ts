/**
 * The level of the r-th opening: α·6/(π²r²). Over any number of openings the levels add up to α at most, so the chance of
 * even one false promotion stays below α.
 */
export function spentAt(opening: number, alpha: number): number {
  if (!(Number.isInteger(opening) && opening >= 1))
    throw new RangeError(`openings count from 1, not ${opening}`);
  return (alpha * 6) / (Math.PI ** 2 * opening ** 2);
}
