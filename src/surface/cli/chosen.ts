import { nearest, userError } from "../../foundation/base/index.ts";

/** What a flag or an argument may be. Throws a user error `invalid-option` that names the nearest one, or all. */
export function chosen<T extends string>(what: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found !== undefined) return found;
  const meant = nearest(given, known);
  const all = new Intl.ListFormat("en", { type: "disjunction" }).format(known);
  throw userError(
    "invalid-option",
    `${what} cannot be "${given}"; ${meant === undefined ? `it is ${all}.` : `did you mean ${meant}?`}`,
  );
}
