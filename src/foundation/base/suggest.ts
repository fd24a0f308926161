import { closest, distance } from "fastest-levenshtein";

/** The nearest of the known names, if one is near enough to have been meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, [...known]);
  return distance(name.toLowerCase(), candidate.toLowerCase()) <=
    Math.max(2, Math.floor(candidate.length / 2))
    ? candidate
    : undefined;
}
