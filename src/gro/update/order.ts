import type { RandomStream } from "../../foundation/base/index.ts";

/** How long an update of this kind goes on: a number of steps, or of passes over what there is. */
export interface Length {
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  /** Members a step. */
  readonly batch: number;
}

/** Steps over so many members; none where there are none. */
export function stepsOver(members: number, { steps, epochs = 1, batch }: Length): number {
  if (members === 0) return 0;
  return steps ?? Math.ceil(Math.round(epochs * members) / batch);
}

/**
 * The members of a step: everyone once, in another order each time, before anyone comes again. The last step of so many epochs has
 * what is left. The same step of the same stream gets the same members, whatever was asked for before.
 */
export function drawsOver<T>(
  members: readonly T[],
  length: Length,
  random: RandomStream,
): (step: number) => T[] {
  const { steps, epochs = 1, batch } = length;
  const all = steps === undefined ? Math.round(epochs * members.length) : steps * batch;
  const at = inEpochs(members, random);
  return (step) => {
    if (members.length === 0) return [];
    const first = step * batch;
    return Array.from({ length: Math.max(0, Math.min(batch, all - first)) }, (_, index) => at(first + index));
  };
}

/** The member at a place of an endless order: everyone once, in another order each time, before anyone comes again. */
export function inEpochs<T>(members: readonly T[], random: RandomStream): (place: number) => T {
  const orders = new Map<number, readonly T[]>();
  return (place) => {
    const epoch = Math.floor(place / members.length);
    const order = orders.get(epoch) ?? random.fork(`epoch-${epoch}`).shuffle(members);
    orders.set(epoch, order);
    return order[place % members.length] as T;
  };
}
