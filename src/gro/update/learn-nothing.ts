import type { UpdatePart } from "./part.ts";

/** For passes that make items for others: nobody learns in them. */
export function learnNothing(): UpdatePart {
  return {
    name: "nothing",
    description: {},
    learnsBy: "policy-gradient",
    steps: () => 0,
    optimizerState: "continued",
    update: async () => ({
      tokensTrained: 0,
      realTokens: 0,
      positionsTrained: 0,
      losses: [],
      uses: new Map(),
    }),
  };
}
