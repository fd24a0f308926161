import type { GradientFeatureOptions } from "../../foundation/contract/index.ts";
import { engineError } from "./engine-error.ts";

/** How gradients become features. */
export type Projection = Pick<GradientFeatureOptions, "dimensions" | "seed">;

/** Throws `bad-request`. */
export function checkProjection({ dimensions, seed }: Projection): void {
  if (!(Number.isInteger(dimensions) && dimensions >= 1))
    throw engineError("bad-request", `${dimensions} dimensions; it is a whole number from 1 up.`);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48))
    throw engineError("bad-request", `The seed ${seed} is no integer from 0 below 2^48.`);
}
