import { engineError } from "./engine-error.ts";

/** Throws `bad-request` for one that no tokens can make. */
export function checkStopStrings(texts: readonly string[]): void {
  if (!texts.every((text) => text.isWellFormed()))
    throw engineError("bad-request", "A stop string holds half a character (a lone surrogate).");
}
