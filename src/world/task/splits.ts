import { hash } from "node:crypto";
import { type Split, type Stratum, splitSchema } from "../../foundation/contract/index.ts";

/** Share of a task's items in each split. */
export const splitShares: Readonly<Record<Split, number>> = {
  train: 0.5,
  validation: 0.1,
  decision: 0.25,
  audit: 0.15,
};

/** A generator's stratum with no more distinct items than this has no splits and is measured whole. */
const mostEnumerated = 1000;

/** How many items a stratum has, and how many each split, where that is counted. */
export type StratumSize = Pick<Stratum, "distinct" | "splits">;

/** True where every item of a stratum is measured: no splits, no claim of generalisation. */
export function isEnumerated({ distinct, splits }: StratumSize): boolean {
  return splits === undefined && distinct <= mostEnumerated;
}

/**
 * How many items of a stratum a split holds at least, and so how many different ones can be asked for; all of them where
 * the stratum is enumerated. Exact where items are listed in a file; else six standard deviations below the expected
 * number: no hash leaves fewer.
 */
export function itemsInSplit(stratum: StratumSize, split: Split): number {
  if (isEnumerated(stratum)) return stratum.distinct;
  return stratum.splits?.[split] ?? Math.max(0, Math.floor(boundOf(stratum, split, -6)));
}

/** How many it holds at most, likewise. */
export function mostInSplit(stratum: StratumSize, split: Split): number {
  if (isEnumerated(stratum)) return stratum.distinct;
  return stratum.splits?.[split] ?? Math.ceil(boundOf(stratum, split, 6));
}

/** The binomial mean and so many standard deviations, in a form that holds for infinitely many items too. */
function boundOf({ distinct }: StratumSize, split: Split, deviations: number): number {
  const mean = distinct * splitShares[split];
  return mean * (1 + deviations * Math.sqrt((1 - splitShares[split]) / mean));
}

/**
 * The split of an item, once and for ever: the first 48 bits of SHA-256(`name@version`, a line feed, the canonical form in
 * UTF-8), as a fraction of 2⁴⁸, fall into train, validation, decision or audit, in this order. Never depends on a run.
 *
 * The key is public, so that a stranger can check a split: `printf 'reverse@1\n1234' | sha256sum`. Nothing is kept
 * secret by it, so an HMAC would add nothing but four fifths of the time.
 *
 * @example
 * splitOf("reverse", 1, "1234") // "decision", on every machine
 */
export function splitOf(taskName: string, version: number, canonical: string): Split {
  return splitOfDigest(itemDigest(taskName, version, canonical));
}

/** SHA-256 in hexadecimal, by which {@link splitOf} divides: it tells the split without telling the item. */
export function itemDigest(taskName: string, version: number, canonical: string): string {
  return hash("sha256", `${taskName}@${version}\n${canonical}`, "hex");
}

/** The split of an item of which only the digest is known, or its first 48 bits. */
export function splitOfDigest(digest: string): Split {
  const fraction = Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48;
  let passed = 0;
  for (const split of splitSchema.options) {
    passed += splitShares[split];
    if (fraction < passed) return split;
  }
  return "audit";
}
