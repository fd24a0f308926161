/** Okapi BM25's saturation and normalisation by length, as usual. */
const k1 = 1.2;
const b = 0.75;

/** A document by its place, and how near it is. */
export interface FoundDocument {
  readonly index: number;
  readonly score: number;
}

/**
 * Finds the documents nearest to a question: BM25 over character trigrams (a space at either end), which need no language, Σ over the question's trigrams of
 * idf·tf·(k₁ + 1)/(tf + k₁·(1 − b + b·|d|/mean|d|)) with k₁ = 1.2, b = .75. Of equals the first is nearer; what shares nothing is not found.
 */
export function documentFinder(
  documents: readonly string[],
): (question: string, most: number) => FoundDocument[] {
  const counts = documents.map((document) => countsOf(trigrams(document)));
  const lengths = counts.map((count) => sum(count.values()));
  const mean = sum(lengths) / Math.max(1, documents.length);
  const holding = new Map<string, number[]>();
  for (const [index, count] of counts.entries())
    for (const gram of count.keys()) holding.set(gram, [...(holding.get(gram) ?? []), index]);
  return (question, most) => {
    const scores = new Map<number, number>();
    for (const gram of new Set(trigrams(question))) {
      const found = holding.get(gram) ?? [];
      const idf = Math.log1p((documents.length - found.length + 0.5) / (found.length + 0.5));
      for (const index of found) {
        const tf = counts[index]?.get(gram) ?? 0;
        const share = (lengths[index] ?? 0) / mean;
        const part = (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + b * share));
        scores.set(index, (scores.get(index) ?? 0) + part);
      }
    }
    return [...scores]
      .sort(([first, one], [second, other]) => other - one || first - second)
      .slice(0, most)
      .map(([index, score]) => ({ index, score }));
  };
}

function trigrams(text: string): string[] {
  const plain = ` ${text.trim().toLowerCase().replaceAll(/\s+/g, " ")} `;
  return Array.from({ length: Math.max(0, plain.length - 2) }, (_, at) => plain.slice(at, at + 3));
}

function countsOf(grams: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  return counts;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
