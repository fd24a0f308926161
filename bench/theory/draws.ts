import type { RandomStream } from "../../src/foundation/base/index.ts";

/** Standard normal numbers, two for each two uniform ones (Box and Muller, 1958). */
export function normals(stream: RandomStream): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const angle = 2 * Math.PI * stream.uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** An index, drawn by probabilities that sum to one. */
export function category(stream: RandomStream, probabilities: readonly number[]): number {
  let left = stream.uniform();
  for (let index = 0; index < probabilities.length - 1; index++) {
    left -= probabilities[index] as number;
    if (left < 0) return index;
  }
  return probabilities.length - 1;
}

/** Frequencies of so many independent draws. */
export function frequencies(stream: RandomStream, probabilities: readonly number[], draws: number): number[] {
  const counts = probabilities.map(() => 0);
  for (let draw = 0; draw < draws; draw++) {
    const index = category(stream, probabilities);
    counts[index] = (counts[index] as number) + 1;
  }
  return counts.map((count) => count / draws);
}

/** P(X = k) of a binomial number, for k from 0 to `trials`. */
export function binomial(trials: number, share: number): number[] {
  if (share <= 0 || share >= 1)
    return Array.from({ length: trials + 1 }, (_, count) => (count === (share <= 0 ? 0 : trials) ? 1 : 0));
  const odds = Math.log(share / (1 - share));
  let log = trials * Math.log1p(-share);
  return Array.from({ length: trials + 1 }, (_, count) => {
    const chance = Math.exp(log);
    log += odds + Math.log((trials - count) / (count + 1));
    return chance;
  });
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
