import type { Datum, Loss, ReturnedLogprobs } from "../../../foundation/contract/index.ts";
import { engineError, type FrameInput, f32, i32 } from "./frames.ts";

type FloatMember = "weights" | "advantages" | "logprobs" | "mask";

/** The arrays of `forward` and `forward_backward` for a loss. Throws `bad-request` where a datum lacks one or differs in length. */
export function packData(data: readonly Datum[], loss: Loss): FrameInput {
  for (const [index, { tokens, targets }] of data.entries())
    if (targets.length !== tokens.length)
      throw engineError(
        "bad-request",
        `Datum ${index} has ${tokens.length} tokens and ${targets.length} targets.`,
      );
  const member = (name: FloatMember) =>
    f32(...data.map((datum, index) => required(datum, index, name, loss)));
  const common = {
    lengths: i32(Int32Array.from(data, ({ tokens }) => tokens.length)),
    tokens: i32(...data.map(({ tokens }) => tokens)),
    targets: i32(...data.map(({ targets }) => targets)),
  };
  if (loss.name === "cross_entropy") return { ...common, weights: member("weights") };
  return {
    ...common,
    advantages: member("advantages"),
    logprobs: member("logprobs"),
    ...(data.some(({ mask }) => mask !== undefined) ? { mask: member("mask") } : {}),
  };
}

function required(datum: Datum, index: number, name: FloatMember, loss: Loss): Float32Array {
  const array = datum[name] ?? (name === "mask" ? new Float32Array(datum.tokens.length).fill(1) : undefined);
  if (array?.length === datum.tokens.length) return array;
  throw engineError(
    "bad-request",
    array === undefined
      ? `Datum ${index} has no ${name}, which ${loss.name} needs.`
      : `Datum ${index} has ${datum.tokens.length} tokens and ${array.length} ${name}.`,
  );
}

/** Divides the flat logprobs of a reply by datum; those of positions that do not count are NaN when only the others came. */
export function unpackLogprobs(
  data: readonly Datum[],
  loss: Loss,
  returned: ReturnedLogprobs,
  flat: Float32Array | undefined,
): Float32Array[] {
  if (returned === "none" || flat === undefined) return data.map(() => new Float32Array(0));
  let at = 0;
  return data.map((datum) => {
    const { length } = datum.tokens;
    if (returned === "all") {
      at += length;
      return flat.slice(at - length, at);
    }
    const counted = loss.name === "cross_entropy" ? datum.weights : datum.mask;
    const logprobs = new Float32Array(length).fill(Number.NaN);
    for (let position = 0; position < length; position++)
      if (counted === undefined || counted[position] !== 0) logprobs[position] = flat[at++] ?? Number.NaN;
    return logprobs;
  });
}
