/** A part of a training, from one durable checkpoint to the next: [from, to). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface Cadence {
  /** Steps that a checkpoint is worth: fewer would cost more to save than to do again. */
  readonly least: number;
  /** Steps that a crash may cost at most. */
  readonly most: number;
}

/** Of optimiser steps. A checkpoint with its moments takes about as long as one to five of them. */
export const stepCadence: Cadence = { least: 25, most: 250 };

/** Of repetitions, each of which generates and learns. */
export const repetitionCadence: Cadence = { least: 4, most: 20 };

const parts = 5;

/**
 * Divides a training into equal stretches, each ended by a checkpoint: five where they are long enough, more where they would be
 * too long. A crash costs half a stretch on average, a tenth of the training; where a run is in parts that is a tenth of one
 * part. The division depends on the number of steps alone, never on a clock, so that any attempt makes the same one.
 */
export function stretchesOf(steps: number, { least, most }: Cadence): readonly Stretch[] {
  if (steps <= 0) return [];
  const count = Math.max(Math.min(parts, Math.floor(steps / least)), Math.ceil(steps / most), 1);
  const ends = Array.from({ length: count }, (_, index) => Math.ceil((steps * (index + 1)) / count));
  return ends.map((to, index) => ({ from: ends[index - 1] ?? 0, to }));
}
