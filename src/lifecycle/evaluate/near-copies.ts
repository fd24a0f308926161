/** Words in a row that are compared: one that is changed spoils three of them. */
const shingle = 3;
/** Share of an item's shingles in a stretch of text not much longer than it, from which on it is a near copy: one word of eight changed. */
const least = 0.6;
/** Fewest shingles that tell an item from the others, as many as 13 words have: with fewer, chance finds them. */
const fewest = 11;
/** How much longer the stretch may be. */
const stretched = 1.2;

interface Text {
  /** How many different shingles it has, and over how many words they may be spread. */
  readonly shingles: number;
  readonly reach: number;
}

/**
 * Finds texts that hold a near copy of one of these: at least {@link least} of its shingles close together. Shingles of more than
 * `most` of them tell nothing. What MinHash estimates is counted here: there are few items, and their shingles are looked up.
 */
export class NearCopies {
  readonly #texts: Text[] = [];
  readonly #holders = new Map<string, number[]>();

  constructor(texts: readonly (readonly string[])[], most: number) {
    const all = texts.map((words) => new Set(shinglesOf(words)));
    const counts = new Map<string, number>();
    for (const shingles of all) for (const one of shingles) counts.set(one, (counts.get(one) ?? 0) + 1);
    for (const [index, shingles] of all.entries()) {
      const telling = [...shingles].filter((one) => (counts.get(one) ?? 0) <= most);
      this.#texts.push({
        shingles: telling.length,
        reach: Math.ceil(stretched * (texts[index]?.length ?? 0)),
      });
      if (telling.length < fewest) continue;
      for (const one of telling) this.#holders.set(one, [...(this.#holders.get(one) ?? []), index]);
    }
  }

  /** Whether these words hold a near copy. */
  in(words: readonly string[]): boolean {
    /** By text: the shingles seen within its reach, and where last, oldest first. */
    const seen = new Map<number, Map<string, number>>();
    return shinglesOf(words).some((one, at) =>
      (this.#holders.get(one) ?? []).some((index) => {
        const { shingles, reach } = this.#texts[index] as Text;
        const places = seen.get(index) ?? new Map<string, number>();
        seen.set(index, places);
        places.delete(one);
        places.set(one, at);
        for (const [other, place] of places) {
          if (at - place <= reach - shingle) break;
          places.delete(other);
        }
        return places.size >= least * shingles;
      }),
    );
  }
}

function shinglesOf(words: readonly string[]): string[] {
  return Array.from({ length: Math.max(0, words.length - shingle + 1) }, (_, at) =>
    words.slice(at, at + shingle).join(" "),
  );
}
