import { describe, expect, test } from "vitest";
import { exampleOfRollout } from "../../rollout/index.ts";
import { itemOf, rolloutOf } from "../../rollout/testing/fakes.ts";
import { type PolicyBatchOptions, policyBatch, type WeighedResponse } from "./policy-batch.ts";
import { policyGradient } from "./policy-gradient.ts";

const beta = 0.5;
const moved = 0.1;

/** Responses of so many tokens, each with an advantage of 1 and sampled with a logprob of −1. */
function responses(lengths: readonly number[]): WeighedResponse[] {
  return lengths.map((length) => ({
    // With the token that ends it.
    example: exampleOfRollout(rolloutOf(itemOf("a"), "x".repeat(length - 1))),
    behaviour: new Float32Array(length).fill(-1),
    advantages: new Float64Array(length).fill(1),
  }));
}

function batchOf(lengths: readonly number[], options: Partial<PolicyBatchOptions> = {}) {
  const batch = policyBatch(responses(lengths), {
    ...{ loss: { name: "dro", beta }, average: "tokens", length: 4, klInLoss: 0 },
    ...options,
  });
  if (batch === undefined) throw new Error("nothing to learn from");
  return batch;
}

/** d(loss)/d(logprob) at each token of each response, once every logprob has risen by .1. */
function slopes(lengths: readonly number[], average: PolicyBatchOptions["average"]): number[][] {
  const { data, loss } = batchOf(lengths, { average, universal: true });
  if (typeof loss !== "function") throw new Error("a loss by derivatives");
  const { gradients } = loss(data.map(({ tokens }) => new Float32Array(tokens.length).fill(-1 + moved)));
  return gradients.map((own, index) => [...own.slice(-(lengths[index] as number))]);
}

describe("dro: the distance from the sampler weighs as its token does", () => {
  test.each([1, 10, 1000])("the slopes of %d tokens add up to the same", (tokens) => {
    const sum = slopes([tokens], "tokens")
      .flat()
      .reduce((all, one) => all + one, 0);
    expect(sum).toBeCloseTo(-(1 - beta * moved), 4);
  });

  test.each<readonly [PolicyBatchOptions["average"], readonly [number, number]]>([
    ["tokens", [1 / 8, 1 / 8]],
    ["constant", [1 / 8, 1 / 8]],
    ["responses", [1 / 4, 1 / 12]],
  ])("%s", (average, weights) => {
    for (const [index, own] of slopes([2, 6], average).entries())
      for (const slope of own) expect(slope).toBeCloseTo(-(weights[index] as number) * (1 - beta * moved), 6);
  });

  test("by name it has the weight of all tokens; where they weigh differently, there is no name for it", () => {
    expect(batchOf([2, 6]).loss).toEqual({ name: "dro", beta: beta / 8 });
    expect(batchOf([2, 6], { average: "constant" }).loss).toEqual({ name: "dro", beta: beta / 8 });
    expect(batchOf([2, 6], { average: "responses" }).loss).toBeTypeOf("function");
    expect(batchOf([2, 6], { loss: { name: "ppo" }, average: "responses" }).loss).toEqual({ name: "ppo" });
    expect(policyGradient({ loss: "dro" }).needs).toMatchObject({ losses: ["dro"] });
    expect(policyGradient({ loss: "dro", average: "responses" }).needs).toMatchObject({
      losses: [],
      signedWeights: true,
    });
  });
});
