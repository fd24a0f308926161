import type { Datum, Loss, ReturnedLogprobs } from "../../../foundation/contract/index.ts";
import { checkTargets, countedBy, refuseBounds, requiredArray } from "../datum.ts";
import { type FrameInput, f32, i32 } from "./frames.ts";

/** The arrays of `forward` and `forward_backward` for a loss. Throws `bad-request` where a datum lacks one or differs in length. */
export function packData(data: readonly Datum[], loss: Loss): FrameInput {
  checkTargets(data);
  const member = (name: "weights" | "advantages" | "logprobs" | "mask") =>
    f32(...data.map((datum, index) => requiredArray(datum, index, name, loss)));
  refuseBounds(data, loss);
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
    ...bounds("clipLow", data, loss),
    ...bounds("clipHigh", data, loss),
  };
}

type Bound = "clipLow" | "clipHigh";

/** Those of each position where any datum has its own; the others then have the loss's. */
function bounds(name: Bound, data: readonly Datum[], loss: Loss): FrameInput {
  if (!clips(loss) || !data.some((datum) => datum[name] !== undefined)) return {};
  const common = loss[name] ?? defaultBounds[loss.name][name];
  const parts = data.map((datum, index) =>
    datum[name] === undefined
      ? new Float32Array(datum.tokens.length).fill(common)
      : requiredArray(datum, index, name, loss),
  );
  return { [name === "clipLow" ? "clip_low" : "clip_high"]: f32(...parts) };
}

type ClippingLoss = Extract<Loss, { readonly clipLow?: number }>;

const defaultBounds: Record<ClippingLoss["name"], Record<Bound, number>> = {
  ppo: { clipLow: 0.8, clipHigh: 1.2 },
  cispo: { clipLow: 0, clipHigh: 4 },
  gspo: { clipLow: 0.8, clipHigh: 1.2 },
};

function clips(loss: Loss): loss is ClippingLoss {
  return loss.name in defaultBounds;
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
    const counted = countedBy(datum, loss);
    const logprobs = new Float32Array(length).fill(Number.NaN);
    for (let position = 0; position < length; position++)
      if (counted === undefined || counted[position] !== 0) logprobs[position] = flat[at++] ?? Number.NaN;
    return logprobs;
  });
}
