import { describe, expect, test } from "vitest";
import type { EngineNeeds } from "../../foundation/contract/index.ts";
import type { EngineAbilities } from "./definition.ts";
import { checkNeeds, missingFrom } from "./engine-needs.ts";

const plain: EngineAbilities = {
  losses: ["cross_entropy"],
  optimizers: ["adamw"],
  precisions: ["fp32"],
  stopStrings: false,
  topK: false,
  loraRank: 0,
  gradientCheckpointing: false,
  topLogprobs: 0,
  extensions: [],
  signedWeights: false,
  gradientClipping: false,
  weightDecay: false,
  topP: false,
  freshOptimizer: false,
  untold: ["gradient-norm"],
};
const rich: EngineAbilities = {
  ...plain,
  losses: ["cross_entropy", "gspo"],
  precisions: ["fp32", "bf16"],
  optimizers: ["adamw", "sgd"],
  stopStrings: true,
  topK: true,
  loraRank: 8,
  gradientCheckpointing: true,
  topLogprobs: 4,
  extensions: ["certainty"],
  signedWeights: true,
  gradientClipping: true,
  weightDecay: true,
  topP: true,
  freshOptimizer: true,
  untold: [],
  deterministic: ["calls", "engines"],
  prices: { currency: "USD", read: 0.1, sampled: 0.3, trained: 0.9 },
};

describe("missingFrom", () => {
  test.each<readonly [EngineNeeds, string]>([
    [{ losses: ["cross_entropy", "gspo"] }, "the loss gspo"],
    [{ optimizers: ["sgd"] }, "the optimiser sgd"],
    [{ precision: "bf16" }, "the precision bf16"],
    [{ loraRank: 8 }, "adapters"],
    [{ gradientCheckpointing: true }, "gradient checkpointing"],
    [{ stopStrings: true }, "stop strings"],
    [{ topK: true }, "top-k sampling"],
    [{ topLogprobs: 4 }, "the most probable tokens"],
    [{ extensions: ["certainty"] }, "the extension certainty"],
    [{ signedWeights: true }, "weights that it takes as they are, negative ones too"],
    [{ gradientClipping: true }, "clipping of the gradient's norm (a gradientClipNorm of 0 needs none)"],
    [{ weightDecay: true }, "weight decay"],
    [{ topP: true }, "top-p sampling"],
    [
      { freshOptimizer: true },
      'checkpoints that it loads without their moments (optimizerState: "continued" keeps them)',
    ],
    [{ gradientNorm: true }, "the norm of the gradient"],
    [{ deterministic: ["calls"] }, "equal bits of equal calls"],
    [{ prices: true }, "prices (tinker({ prices: … }) gives them)"],
  ])("%j", (needs, words) => {
    expect(missingFrom(plain, needs)).toEqual([words]);
    expect(missingFrom(rich, needs)).toEqual([]);
    const off = Object.fromEntries(
      Object.entries(needs).map(([name, value]) => [name, value === true ? false : undefined]),
    );
    expect(missingFrom(plain, off as EngineNeeds)).toEqual([]);
  });

  test("an engine that says nothing of weights and norms has them, and claims no equal bits", () => {
    const { signedWeights: _signed, untold: _untold, deterministic: _bits, ...silent } = rich;
    expect(
      missingFrom(silent, { signedWeights: true, gradientNorm: true, deterministic: ["engines"] }),
    ).toEqual(["equal bits of equal engines"]);
  });

  test("every capability that engines differ in is a need", () => {
    const needs: Record<keyof EngineAbilities, keyof EngineNeeds> = {
      losses: "losses",
      optimizers: "optimizers",
      precisions: "precision",
      stopStrings: "stopStrings",
      topK: "topK",
      loraRank: "loraRank",
      gradientCheckpointing: "gradientCheckpointing",
      topLogprobs: "topLogprobs",
      extensions: "extensions",
      signedWeights: "signedWeights",
      untold: "gradientNorm",
      deterministic: "deterministic",
      gradientClipping: "gradientClipping",
      weightDecay: "weightDecay",
      topP: "topP",
      freshOptimizer: "freshOptimizer",
      prices: "prices",
    };
    expect(Object.keys(rich).sort()).toEqual(Object.keys(needs).sort());
  });

  test("names a size that is too large", () => {
    expect(missingFrom(rich, { loraRank: 9, topLogprobs: 5 })).toEqual([
      "adapters of rank 9",
      "the 5 most probable tokens",
    ]);
  });
});

describe("checkNeeds", () => {
  const others = [
    { name: "plain", abilities: plain },
    { name: "rich", abilities: rich },
    { name: "unknown" },
  ];
  const refusal = (needs: EngineNeeds) => () =>
    checkNeeds({ name: "plain", abilities: plain }, needs, others);

  test("names what is missing, and the engines that have all of it", () => {
    expect(refusal({ precision: "fp32" })).not.toThrow();
    expect(refusal({ losses: ["gspo"], loraRank: 2, topK: true })).toThrow(
      expect.objectContaining({
        code: "engine-lacks",
        category: "user",
        message:
          "The engine plain does not have the loss gspo, adapters or top-k sampling, which is asked of it; use rich().",
      }),
    );
    expect(refusal({ loraRank: 64 })).toThrow(/no engine that Whetstone brings has all of it\./);
  });
});
