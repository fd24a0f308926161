import type { Stretch } from "./cadence.ts";

/** Sequences that are drawn together at most: fewer at once are slower, and a death takes all that are under way in any case. */
const rowsOfAPart = 512;
/** Storing a part takes about as long as drawing twenty short sequences. */
const mostParts = 8;
/** As many as keep an engine busy while what it answered is judged and stored. */
const partsAtOnce = 3;

/**
 * Divides items that are answered into equal parts that are durable each by itself: as few as have 512 sequences at most, or eight
 * where they would be more. The division depends on the two counts alone, so that any attempt makes the same one and draws the same
 * sequences together. One part at least, if an empty one.
 */
export function samplingParts(items: number, samplesPerItem: number): readonly Stretch[] {
  const ofOne = Math.max(1, Math.floor(rowsOfAPart / Math.max(1, samplesPerItem)));
  const count = Math.max(1, Math.min(mostParts, Math.ceil(items / ofOne)));
  const ends = Array.from({ length: count }, (_, index) => Math.ceil((items * (index + 1)) / count));
  return ends.map((to, index) => ({ from: ends[index - 1] ?? 0, to }));
}

/** How much of all is done, where parts go on beside each other: told anew for whatever one of them says. */
export function doneInAll(tell: ((done: number) => void) | undefined): (part: Stretch, done: number) => void {
  const doneOf = new Map<Stretch, number>();
  return (part, done) => {
    doneOf.set(part, done);
    tell?.([...doneOf.values()].reduce((sum, one) => sum + one, 0));
  };
}

/**
 * Does the work of each part, a few at a time and begun in their order; results are in their order too. Begins no further one after
 * an error, and throws the first once nothing is under way any more.
 */
export async function eachPart<T>(
  parts: readonly Stretch[],
  work: (part: Stretch) => Promise<T>,
): Promise<T[]> {
  const results: T[] = new Array(parts.length);
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && next < parts.length) {
      const index = next++;
      try {
        results[index] = await work(parts[index] as Stretch);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: partsAtOnce }, lane));
  const broken = ends.find(({ status }) => status === "rejected");
  if (broken?.status === "rejected") throw broken.reason;
  return results;
}
