/** What a check came to for one claim. */
export type ClaimStatus = "verified" | "recomputed" | "trusted" | "contradicted";

/** Something in a certificate that is not so. */
export interface Contradiction {
  /** Path of what is wrong, such as `decided.opening.alpha`. */
  readonly field: string;
  readonly words: string;
}

/** One thing that a certificate says, and what a check can say of it. */
export interface Claim {
  readonly claim: string;
  /**
   * `verified`: against something that the certificate cannot choose, such as a key that was given; `recomputed`: from results that it states;
   * `trusted`: nothing here can test it.
   */
  readonly status: ClaimStatus;
  readonly words: string;
  /** Paths of what the claim rests on. */
  readonly fields: readonly string[];
  readonly contradictions: readonly Contradiction[];
}

/** A claim of that status, unless something contradicts it. */
export function claim(
  name: string,
  status: Exclude<ClaimStatus, "contradicted">,
  words: string,
  fields: readonly string[],
  contradictions: readonly Contradiction[] = [],
): Claim {
  const found: ClaimStatus = contradictions.length === 0 ? status : "contradicted";
  return { claim: name, status: found, words, fields, contradictions };
}

/** Whether two values are the same; numbers may differ in their last bits, as logarithms of two processors do. */
export function same(stated: unknown, found: unknown): boolean {
  if (typeof stated === "number" && typeof found === "number")
    return (
      stated === found || Math.abs(stated - found) <= 1e-9 * Math.max(1, Math.abs(stated), Math.abs(found))
    );
  if (typeof stated !== "object" || typeof found !== "object" || stated === null || found === null)
    return (stated ?? null) === (found ?? null);
  const [one, other] = [stated as Record<string, unknown>, found as Record<string, unknown>];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => same(one[name], other[name]));
}

/** A contradiction for each member that is not as it was found. */
export function differences(
  path: string,
  stated: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): Contradiction[] {
  return Object.keys(found)
    .filter((name) => !same(stated[name], found[name]))
    .map((name) => ({
      field: `${path}.${name}`,
      words: `stated ${shown(stated[name])}, found ${shown(found[name])}`,
    }));
}

const longest = 80;

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
