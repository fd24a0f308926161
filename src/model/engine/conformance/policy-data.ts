import type { Datum, EngineModel, Loss } from "../../../foundation/contract/index.ts";
import { type Bench, crossEntropy } from "./bench.ts";

/** Data of a policy that sampled otherwise, and the logprobs that their targets have now. */
export interface PolicyData {
  readonly data: readonly Datum[];
  readonly logprobs: readonly Float32Array[];
}

/** Of the sequences: on every side of usual bounds, near none, and neither all in a sequence on one side. */
const sequenceRatios = [1, 1.6, 0.6, 1.08, 2.2, 0.5];
const placeRatios = [0.94, 1.06, 1.02];

/**
 * Where logprobs are rough, ratios are powers of this one: of the sequences (these), and of positions that are one power above
 * or below their sequence's by turns. Each keeps a fifth or more, as a logarithm, from every edge of {@link lossesOf}.
 */
const apart = Math.exp(0.58);
const sequencePowers = [0, 1, -1, 0, 2, -1];

const masks = [1, 0.5, 1, 0];

/** With signed advantages, and masks of 0, ½ and 1. */
export async function policyData(
  bench: Bench,
  model: EngineModel,
  indices: readonly number[],
): Promise<PolicyData> {
  const plain = bench.weighted(indices);
  const { logprobs } = await model.forward(plain, { loss: crossEntropy, logprobs: "all" });
  const data = plain.map(({ tokens, targets }, index): Datum => {
    const at = (of: (place: number) => number) => Float32Array.from(tokens, (_, place) => of(place));
    const mask = at((place) => masks[(place + index) % masks.length] as number);
    const ratios = bench.rough ? ratiosApart(mask, index) : ratiosNear(tokens.length, index);
    return {
      tokens,
      targets,
      weights: at((place) => (place % 3 === 2 ? 0 : (place % 2 === 0 ? 1 : -0.5) * (1 + place / 4))),
      advantages: at((place) => ((place + index) % 2 === 0 ? 1 : -0.5) * (1 + place / 4)),
      logprobs: at((place) => (logprobs[index]?.[place] as number) - Math.log(ratios[place] as number)),
      mask,
    };
  });
  return { data, logprobs };
}

const ratiosNear = (length: number, index: number): number[] =>
  Array.from(
    { length },
    (_, place) =>
      (sequenceRatios[index % sequenceRatios.length] as number) *
      (placeRatios[place % placeRatios.length] as number),
  );

/** Positions that count whole go up and down in pairs, so that their mean is the sequence's own. */
function ratiosApart(mask: Float32Array, index: number): number[] {
  const whole = [...mask.keys()].filter((place) => mask[place] === 1);
  const paired = whole.slice(0, 2 * Math.floor(whole.length / 2));
  const power = sequencePowers[index % sequencePowers.length] as number;
  return Array.from(mask, (_, place) => {
    const at = paired.indexOf(place);
    return apart ** (power + (at < 0 ? 0 : at % 2 === 0 ? 1 : -1));
  });
}

/** A loss of each kind that the engine has, with bounds and factors that matter. */
export function lossesOf({ capabilities, rough }: Bench): readonly Loss[] {
  const [low, high] = rough ? [0.4, 2.5] : [0.55, 1.9];
  const all: readonly Loss[] = [
    { name: "cross_entropy" },
    { name: "importance_sampling" },
    { name: "ppo" },
    { name: "ppo", clipLow: low, clipHigh: high },
    { name: "cispo" },
    { name: "cispo", ...(rough ? { clipLow: low, clipHigh: high } : { clipLow: 0.7, clipHigh: 1.3 }) },
    { name: "dro" },
    { name: "dro", beta: 0.7 },
    { name: "gspo" },
    { name: "gspo", clipLow: low, clipHigh: high },
  ];
  return all.filter(({ name }) => capabilities.losses.includes(name));
}

export const nameOf = ({ name, ...options }: Loss): string =>
  Object.keys(options).length === 0 ? name : `${name} ${JSON.stringify(options)}`;
