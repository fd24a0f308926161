import type { TokenIds } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";

/** What a model can be asked about. */
export interface Limits {
  readonly vocabulary: number;
  /** Longest sequence; undefined where there is no limit. */
  readonly maxPositions: number | undefined;
}

/**
 * Throws `bad-request` for no tokens, `token-out-of-range`, and `too-long`; `unread` of the tokens, at the end, are predicted
 * only, and so take no position.
 */
export function checkTokens(tokens: TokenIds, { vocabulary, maxPositions }: Limits, unread = 0): void {
  if (tokens.length === 0) throw engineError("bad-request", "A sequence has at least one token.");
  for (const token of tokens)
    if (token < 0 || token >= vocabulary)
      throw engineError("token-out-of-range", `Token ${token} is outside 0…${vocabulary - 1}.`);
  const positions = tokens.length - unread;
  if (maxPositions !== undefined && positions > maxPositions)
    throw engineError("too-long", `${positions} positions, and the model has ${maxPositions}.`);
}

/** Throws `bad-request` where a number of a call is none, or negative. */
export function checkNumbers(numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers))
    if (typeof value === "number" && !(Number.isFinite(value) && value >= 0))
      throw engineError("bad-request", `"${name}" must be a finite number from 0 up, not ${value}.`);
}
