import type { GeneratePart } from "./part.ts";

/** Writes nothing: for methods that learn from demonstrations alone. */
export function nothing(): GeneratePart {
  return {
    name: "nothing",
    description: {},
    samplesPerItem: 0,
    generate: async ({ items }) => items.map((item) => ({ item, rollouts: [] })),
  };
}
