import type { Datum, Loss, TokenIds } from "../../foundation/contract/index.ts";
import { engineError } from "./engine-error.ts";

type FloatMember = "weights" | "advantages" | "logprobs" | "mask" | "clipLow" | "clipHigh";

/** There are data, each with a token at least, and every position has a target. Throws `bad-request`. */
export function checkTargets(data: readonly Datum[]): void {
  if (data.length === 0) throw engineError("bad-request", "A call has at least one datum.");
  for (const [index, { tokens, targets }] of data.entries()) {
    if (tokens.length === 0) throw engineError("bad-request", `Datum ${index} has no tokens.`);
    if (targets.length !== tokens.length)
      throw engineError(
        "bad-request",
        `Datum ${index} has ${tokens.length} tokens and ${targets.length} targets.`,
      );
  }
}

/** Throws `token-out-of-range` for the first id that the vocabulary has not; `what` says where it stands. */
export function checkTokens(tokens: TokenIds, vocabularySize: number, what: string): void {
  const at = tokens.findIndex((token) => token < 0 || token >= vocabularySize);
  if (at >= 0)
    throw engineError(
      "token-out-of-range",
      `${what} [${at}] is ${tokens[at]}, and the vocabulary has ${vocabularySize} tokens.`,
    );
}

/** The array of a datum that a loss needs; a mask is 1 everywhere by default. Throws `bad-request`. */
export function requiredArray(datum: Datum, index: number, name: FloatMember, loss: Loss): Float32Array {
  const array = datum[name] ?? (name === "mask" ? new Float32Array(datum.tokens.length).fill(1) : undefined);
  if (array?.length === datum.tokens.length) return array;
  throw engineError(
    "bad-request",
    array === undefined
      ? `Datum ${index} has no ${name}, which ${loss.name} needs.`
      : `Datum ${index} has ${datum.tokens.length} tokens and ${array.length} ${name}.`,
  );
}

const clipping: readonly Loss["name"][] = ["ppo", "cispo", "gspo"];

/** Bounds of a ratio, for a loss that clips none, would have no effect and are not taken. Throws `bad-request`. */
export function refuseBounds(data: readonly Datum[], loss: Loss): void {
  if (clipping.includes(loss.name)) return;
  const index = data.findIndex(({ clipLow, clipHigh }) => clipLow !== undefined || clipHigh !== undefined);
  if (index >= 0)
    throw engineError("bad-request", `Datum ${index} has bounds of a ratio, and ${loss.name} clips nothing.`);
}

/** Which positions of a datum count: those whose weight, or whose mask, is not 0. Undefined where all do. */
export function countedBy(datum: Datum, loss: Loss): Float32Array | undefined {
  return loss.name === "cross_entropy" ? datum.weights : datum.mask;
}
