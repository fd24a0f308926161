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

/** With signed advantages, and masks of 0, ½ and 1. */
export async function policyData(
  bench: Bench,
  model: EngineModel,
  indices: readonly number[],
): Promise<PolicyData> {
  const plain = bench.weighted(indices);
  const { logprobs } = await model.forward(plain, { loss: crossEntropy, logprobs: "all" });
  const data = plain.map(({ tokens, targets }, index): Datum => {
    const ratio = (place: number): number =>
      (sequenceRatios[index % sequenceRatios.length] as number) *
      (placeRatios[place % placeRatios.length] as number);
    const at = (of: (place: number) => number) => Float32Array.from(tokens, (_, place) => of(place));
    return {
      tokens,
      targets,
      weights: at((place) => (place % 3 === 2 ? 0 : (place % 2 === 0 ? 1 : -0.5) * (1 + place / 4))),
      advantages: at((place) => ((place + index) % 2 === 0 ? 1 : -0.5) * (1 + place / 4)),
      logprobs: at((place) => (logprobs[index]?.[place] as number) - Math.log(ratio(place))),
      mask: at((place) => [1, 0.5, 1, 0][(place + index) % 4] as number),
    };
  });
  return { data, logprobs };
}

/** A loss of each kind that the engine has, with bounds and factors that matter. */
export function lossesOf({ capabilities }: Bench): readonly Loss[] {
  const all: readonly Loss[] = [
    { name: "cross_entropy" },
    { name: "importance_sampling" },
    { name: "ppo" },
    { name: "ppo", clipLow: 0.55, clipHigh: 1.9 },
    { name: "cispo" },
    { name: "cispo", clipLow: 0.7, clipHigh: 1.3 },
    { name: "dro" },
    { name: "dro", beta: 0.7 },
    { name: "gspo" },
    { name: "gspo", clipLow: 0.55, clipHigh: 1.9 },
  ];
  return all.filter(({ name }) => capabilities.losses.includes(name));
}

export const nameOf = ({ name, ...options }: Loss): string =>
  Object.keys(options).length === 0 ? name : `${name} ${JSON.stringify(options)}`;
