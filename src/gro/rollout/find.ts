import type { SourceText } from "./documents.ts";

/** Texts for a query, the nearest first. */
export type Find = (query: string) => readonly SourceText[];

/** How fast a word's repetitions stop counting, and how much a long text is held against it: as in most engines. */
const [saturation, lengthWeight] = [1.2, 0.75];

/**
 * A search over texts by the words that they share with a query (BM25, Robertson and Zaragoza 2009, equation 3.15), at most `most` of them;
 * texts that share none are not found, and of two that are as near the earlier one comes first.
 */
export function searchIn(texts: readonly SourceText[], most: number): Find {
  const counted = texts.map(({ text }) => countsOf(text));
  const lengths = counted.map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0));
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const holders = new Map<string, number>();
  for (const counts of counted)
    for (const word of counts.keys()) holders.set(word, (holders.get(word) ?? 0) + 1);
  const rarity = (word: string): number => {
    const held = holders.get(word) ?? 0;
    return Math.log(1 + (texts.length - held + 0.5) / (held + 0.5));
  };
  return (query) => {
    const words = [...countsOf(query).keys()];
    const scored = texts.map((text, at) => {
      const norm = saturation * (1 - lengthWeight + (lengthWeight * (lengths[at] ?? 0)) / meanLength);
      const score = words.reduce((sum, word) => {
        const count = counted[at]?.get(word) ?? 0;
        return sum + (rarity(word) * count * (saturation + 1)) / (count + norm);
      }, 0);
      return { text, score };
    });
    return scored
      .filter(({ score }) => score > 0)
      .sort((one, other) => other.score - one.score)
      .slice(0, most)
      .map(({ text }) => text);
  };
}

function countsOf(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
