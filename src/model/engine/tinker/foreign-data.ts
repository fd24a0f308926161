import { randomStream } from "../../../foundation/base/index.ts";
import type { Datum, Loss, OptimizerStep, SamplingParameters } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import type { ServerTraits } from "./server-traits.ts";

/** Where a loss that is linear in the advantage hides a mask: mask · loss(A) = loss(mask · A), masks being at least 0. */
const linear: readonly Loss["name"][] = ["importance_sampling", "ppo", "cispo", "gspo"];

/**
 * Data as a server takes them that is not ours: the API has no masks, and whoever ignored one would train on what does not
 * count. A mask becomes a part of the advantages; of dro, whose second term has no advantage, none is taken. Throws
 * `bad-request`.
 */
export function withoutMasks(data: readonly Datum[], loss: Loss): readonly Datum[] {
  if (loss.name === "cross_entropy") return data;
  return data.map((datum, index) => {
    const { mask, advantages, ...rest } = datum;
    if (mask === undefined || advantages === undefined || mask.every((one) => one === 1)) return datum;
    if (!linear.includes(loss.name) || mask.some((one) => one < 0))
      throw engineError(
        "bad-request",
        `Datum ${index} has a mask, which this server would ignore under ${loss.name}: leave it out, or use another loss.`,
      );
    const masked = advantages.map((advantage, at) => advantage * (mask[at] as number));
    return { ...rest, advantages: masked, ...(loss.name === "gspo" ? { mask } : {}) };
  });
}

/** Throws `bad-request` for bounds of single positions: SkyRL drops them, and whoever does would clip elsewhere without a word. */
export function refuseForeignBounds(data: readonly Datum[]): void {
  const index = data.findIndex(({ clipLow, clipHigh }) => clipLow !== undefined || clipHigh !== undefined);
  if (index < 0) return;
  throw engineError(
    "bad-request",
    `Datum ${index} has bounds of its own for the ratio, which this server may ignore: give the loss's clipLow and clipHigh instead.`,
  );
}

/** Below 2³¹, and so far below that no sample's number added to it reaches that. */
const largestSeed = 2 ** 31 - 2 ** 20;

/**
 * A seed as a server takes it that is not ours. SkyRL's has 31 bits, and draws a request's i-th sample from seed + i: those of
 * neighbouring seeds would be the same but for one.
 */
export const foreignSeed = (seed: number): number =>
  randomStream(seed, "a server's seed").integer(0, largestSeed);

/** Throws `unsupported` for weights that the server would make others of. */
export function refuseSignedWeights(data: readonly Datum[], loss: Loss): void {
  if (loss.name !== "cross_entropy") return;
  const index = data.findIndex(({ weights }) => weights?.some((weight) => weight < 0));
  if (index >= 0)
    throw engineError(
      "unsupported",
      `Datum ${index} has negative weights, and this server was found to rescale weights: it would train something else. ` +
        "Use a server that conforms (`whetstone engine check`).",
    );
}

/** Throws `unsupported` for a clip that the server would leave out. */
export function refuseClipping({ gradientClipNorm = 0 }: OptimizerStep): void {
  if (gradientClipNorm === 0) return;
  throw engineError(
    "unsupported",
    `gradientClipNorm is ${gradientClipNorm}, and this server was found to clip otherwise than it is asked to: set it to 0, or use ` +
      "a server that conforms (`whetstone engine check`).",
  );
}

/** Throws `unsupported` for a decay that the server would leave out; 0.01 is what a step has that says nothing. */
export function refuseDecay({ weightDecay = 0.01 }: OptimizerStep): void {
  if (weightDecay === 0) return;
  throw engineError(
    "unsupported",
    `weightDecay is ${weightDecay}, and this server was found to shrink weights otherwise than it is asked to: set it to 0, or use ` +
      "a server that conforms (`whetstone engine check`).",
  );
}

/** Throws `unsupported` for a filter that the server would leave out. */
export function refuseFilters(
  { topK = 0, topP = 1 }: SamplingParameters,
  heeded: Pick<ServerTraits, "topK" | "topP">,
): void {
  const refused = [
    ...(topK > 0 && !heeded.topK ? [`topK is ${topK}`] : []),
    ...(topP < 1 && !heeded.topP ? [`topP is ${topP}`] : []),
  ];
  if (refused.length === 0) return;
  throw engineError(
    "unsupported",
    `${refused.join(" and ")}, and this server was found to draw from all tokens all the same: leave that out, or use a server ` +
      "that conforms (`whetstone engine check`).",
  );
}

/** A loss with all its settings said: a server's own defaults need not be the contract's. */
export function spelledOut(loss: Loss): Loss {
  switch (loss.name) {
    case "ppo":
    case "gspo":
      return { clipLow: 0.8, clipHigh: 1.2, ...loss };
    case "cispo":
      return { clipLow: 0, clipHigh: 4, ...loss };
    case "dro":
      return { beta: 0.05, ...loss };
    default:
      return loss;
  }
}
