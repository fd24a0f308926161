import { closest, distance } from "fastest-levenshtein";

/** The nearest of the known names, if one is near enough to have been meant: `lr` is `learningRate` by its initials. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const abbreviated =
    name.length > 1 ? known.find((one) => initialsOf(one) === name.toLowerCase()) : undefined;
  if (abbreviated !== undefined) return abbreviated;
  const candidate = closest(name, [...known]);
  const apart = distance(name.toLowerCase(), candidate.toLowerCase());
  // Of a word that short, with every letter another, nothing is left that is near.
  return apart < candidate.length && apart <= Math.max(2, Math.floor(candidate.length / 2))
    ? candidate
    : undefined;
}

function initialsOf(name: string): string {
  return (name.match(/^.|[A-Z]|(?<=[-_])./g) ?? []).join("").toLowerCase();
}
