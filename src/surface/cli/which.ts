import { nearest, userError } from "../../foundation/base/index.ts";
import { readWhich, type WhichWeights } from "../../loop/run.ts";

/** Reads `champion`, `base`, `candidate` or `round-3`. Throws a user error `invalid-option`. */
export function whichOf(text: string): WhichWeights {
  const which = readWhich(text);
  if (which !== undefined) return which;
  const meant = nearest(text, ["champion", "base", "candidate", "round-1"]);
  const hint =
    meant === undefined ? "there are champion, base, candidate and round-N." : `did you mean ${meant}?`;
  throw userError("invalid-option", `There are no weights "${text}"; ${hint}`, { which: text });
}
