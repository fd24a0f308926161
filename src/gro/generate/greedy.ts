import { attempt } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

/**
 * One attempt at each item, always the likeliest token.
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: agreement({ peers: 2 }) })
 */
export function greedy(): GeneratePart {
  return {
    name: "greedy",
    description: {},
    samplesPerItem: 1,
    generate: (request) => attempt({ ...request, samples: 1, temperature: 0 }),
  };
}
