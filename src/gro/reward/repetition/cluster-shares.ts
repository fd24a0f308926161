import type { TokenIds } from "../../../foundation/contract/index.ts";

/** Lengths of the stretches of tokens that BLEU counts. */
const orders = [1, 2, 3, 4] as const;
/** In the place of no match at all, so that one length alone does not say that nothing is alike. */
const smoothing = 0.1;

/**
 * The share of all sequences that lie in a sequence's cluster, of each in order. Clusters are joined, the nearest first, while the mean of
 * the distances 1 − BLEU between their members is less than the threshold (average linkage).
 */
export function clusterShares(sequences: readonly TokenIds[], threshold: number): number[] {
  const keys = sequences.map((tokens) => tokens.join());
  // What is the same lies at distance 0, and is joined before anything else.
  const first = new Map(keys.map((key, at) => [key, sequences[at] as TokenIds]));
  const place = new Map([...first.keys()].map((key, at) => [key, at]));
  const sizes = [...first].map(() => 0);
  const placeOf = (key: string): number => place.get(key) as number;
  for (const key of keys) sizes[placeOf(key)] = (sizes[placeOf(key)] ?? 0) + 1;
  const clusterOf = joined(distancesBetween([...first.values()]), sizes, threshold);
  return keys.map((key) => (sizes[clusterOf[placeOf(key)] as number] ?? 0) / keys.length);
}

/** Joins clusters in place, adding up their sizes, and says in which each one ended. */
function joined(distances: readonly Float64Array[], sizes: number[], threshold: number): number[] {
  const clusterOf = sizes.map((_, at) => at);
  let left = [...clusterOf];
  for (;;) {
    let nearest = threshold;
    let [into, gone] = [-1, -1];
    for (let at = 1; at < left.length; at++) {
      const one = left[at] as number;
      const row = distances[one] as Float64Array;
      for (let before = 0; before < at; before++) {
        const distance = row[left[before] as number] as number;
        if (distance < nearest) [nearest, into, gone] = [distance, left[before] as number, one];
      }
    }
    if (gone < 0) return clusterOf;
    const [a, b] = [sizes[into] as number, sizes[gone] as number];
    const own = distances[into] as Float64Array;
    for (const [at, row] of distances.entries())
      row[into] = own[at] = (a * (own[at] as number) + b * (row[gone] as number)) / (a + b);
    sizes[into] = a + b;
    left = left.filter((one) => one !== gone);
    for (const [at, cluster] of clusterOf.entries()) if (cluster === gone) clusterOf[at] = into;
  }
}

function distancesBetween(sequences: readonly TokenIds[]): Float64Array[] {
  const stretches = orders.map((order) => stretchesOf(sequences, order));
  const distances = sequences.map(() => new Float64Array(sequences.length));
  for (const [one, { length }] of sequences.entries())
    for (let other = 0; other < one; other++) {
      const matches = stretches.map((own) => shared(own[one], own[other]));
      const others = sequences[other]?.length ?? 0;
      const distance = 1 - (bleu(matches, [length, others]) + bleu(matches, [others, length])) / 2;
      (distances[one] as Float64Array)[other] = distance;
      (distances[other] as Float64Array)[one] = distance;
    }
  return distances;
}

/** BLEU of one sentence for another (Papineni et al. 2002), smoothed as NLTK's method 1 does. */
function bleu(
  matches: readonly number[],
  [length, reference]: readonly [length: number, reference: number],
): number {
  if ((matches[0] ?? 0) === 0) return 0;
  const logs = orders.map((order, at) =>
    Math.log((matches[at] || smoothing) / Math.max(1, length - order + 1)),
  );
  const brevity = length > reference ? 0 : 1 - reference / length;
  return Math.exp(brevity + logs.reduce((sum, log) => sum + log, 0) / orders.length);
}

/** Of each sequence its stretches of so many tokens, as numbers in order: equal stretches have one. */
function stretchesOf(sequences: readonly TokenIds[], length: number): Int32Array[] {
  const numbers = new Map<string, number>();
  return sequences.map((tokens) => {
    const own = new Int32Array(Math.max(0, tokens.length - length + 1));
    for (const start of own.keys()) {
      const key = tokens.subarray(start, start + length).join();
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      own[start] = number;
    }
    return own.sort();
  });
}

/** How many numbers two lists in order share, as often as both have them. */
function shared(one: Int32Array = new Int32Array(), other: Int32Array = new Int32Array()): number {
  let sum = 0;
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    const difference = (one[a] as number) - (other[b] as number);
    if (difference === 0) sum += 1;
    if (difference <= 0) a += 1;
    if (difference >= 0) b += 1;
  }
  return sum;
}
