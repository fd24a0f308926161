import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { attempt } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

/**
 * One attempt at each item, always the likeliest token.
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: agreement({ peers: 2 }) })
 */
export function greedy(options: NoOptions = {}): GeneratePart {
  refuseOptions("greedy()", options);
  return {
    name: "greedy",
    description: {},
    samplesPerItem: 1,
    generate: (request) => attempt({ ...request, samples: 1, temperature: 0 }),
  };
}
