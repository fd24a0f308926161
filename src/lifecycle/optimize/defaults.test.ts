import { expect, test } from "vitest";
import { defaultsOf } from "./defaults.ts";
import { dapoPage } from "./methods/reinforcement/dapo.ts";
import { drGrpoPage } from "./methods/reinforcement/dr-grpo.ts";
import { scorePage } from "./methods/verification/score.ts";

test("every option that is no part, with its value; null for one that something else stands in for", () => {
  const common = {
    items: 32,
    samples: 8,
    temperature: 1,
    steps: 10,
    learningRate: 3e-4,
    optimizerState: "own",
  };
  expect(defaultsOf(dapoPage.options)).toEqual({
    ...common,
    ...{ clipLow: 0.8, clipHigh: 1.28, minibatches: 4, refill: 3, cache: 0.2 },
  });
  expect(defaultsOf(drGrpoPage.options)).toEqual({ ...common, overlap: false, length: null });
  expect(defaultsOf(scorePage.options)).toMatchObject({ stages: [10, 10], kl: 0.01 });
});
