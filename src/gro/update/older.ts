import type { RandomStream } from "../../foundation/base/index.ts";
import type { Example } from "../../foundation/contract/index.ts";
import type { Drawn } from "./mixture.ts";
import type { OlderSet } from "./part.ts";

/** Examples of older sets, by place. */
type ReadExamples = ReadonlyMap<OlderSet, ReadonlyMap<number, Example>>;

/** Reads what the first steps of an update draw of older sets. */
type OlderReader = (
  random: RandomStream,
  steps: number,
  drawAt: (step: number) => readonly Drawn[],
) => Promise<ReadExamples>;

/**
 * Reads one set after the other, and no more of them than an update learns from. An update's stream is the same in each of its stretches:
 * what all of them draw is read once, and forgotten with it.
 */
export function olderReader(): OlderReader {
  const byUpdate = new WeakMap<RandomStream, { readonly steps: number; readonly examples: ReadExamples }>();
  return async (random, steps, drawAt) => {
    const known = byUpdate.get(random);
    if (known !== undefined && known.steps >= steps) return known.examples;
    const places = new Map<OlderSet, Set<number>>();
    for (let step = 0; step < steps; step++)
      for (const drawn of drawAt(step))
        if ("set" in drawn) places.set(drawn.set, (places.get(drawn.set) ?? new Set()).add(drawn.place));
    const examples = new Map<OlderSet, ReadonlyMap<number, Example>>();
    for (const [set, own] of places) examples.set(set, await set.read(own));
    byUpdate.set(random, { steps, examples });
    return examples;
  };
}

/** What was drawn, as examples. */
export function readIn(drawn: readonly Drawn[], older: ReadExamples): Example[] {
  return drawn.flatMap((one) => ("set" in one ? (older.get(one.set)?.get(one.place) ?? []) : one));
}
