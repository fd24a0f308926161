import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { samples } from "../../gro/generate/index.ts";
import { inTurn } from "../../gro/method/index.ts";
import { gro } from "../../gro/method.ts";
import { verifier } from "../../gro/reward/index.ts";
import {
  type PolicyGradientOptions,
  policyGradient,
  type SupervisedOptions,
  supervised,
} from "../../gro/update/index.ts";
import { demonstrations } from "../../lifecycle/acquire/index.ts";
import { rejectionSampling } from "../../lifecycle/optimize/index.ts";
import { sampledDecoding } from "../../lifecycle/refine/index.ts";
import type { EngineAbilities } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import { plan, run } from "../run.ts";
import { engineNeedsOf, refuseLacking } from "./engine-needs.ts";
import { promotingRun } from "./testing/last-letter.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-needs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const clipping = gro({
  generate: samples({ samples: 4 }),
  reward: verifier(),
  update: policyGradient({ loss: "ppo" }),
});

test("what a run needs is what its parts need, in every round", () => {
  expect(engineNeedsOf(promotingRun(2))).toMatchObject({ losses: ["cross_entropy"], precision: "fp32" });
  const turns = promotingRun(3, { optimize: inTurn(clipping, rejectionSampling()) });
  expect(engineNeedsOf(turns).losses).toEqual(["cross_entropy", "ppo"]);
  const { generate, ...pass } = clipping.passes[0] as (typeof clipping.passes)[number];
  const looking = {
    ...clipping,
    passes: [{ ...pass, generate: { ...generate, needs: { topLogprobs: 3, topK: true } } }],
  };
  expect(engineNeedsOf(promotingRun(1, { optimize: looking }))).toMatchObject({
    losses: ["cross_entropy", "ppo"],
    topLogprobs: 3,
    topK: true,
    stopStrings: false,
    signedWeights: false,
  });
  const signed = {
    ...clipping,
    passes: [{ ...pass, generate: { ...generate, needs: { signedWeights: true } } }],
  };
  expect(engineNeedsOf(promotingRun(1, { optimize: signed })).signedWeights).toBe(true);
});

test("a run that asked for equal bits is refused where the opened engine does not have them", () => {
  const asked = promotingRun(1, { engine: local({ deterministic: true }) });
  const { deterministic, ...opened } = asked.engine.abilities as EngineAbilities;
  expect(deterministic).toEqual(["calls", "engines"]);
  expect(() => refuseLacking(asked)).not.toThrow();
  expect(() => refuseLacking(asked, opened)).toThrow(
    expect.objectContaining({
      code: "engine-lacks",
      message: expect.stringMatching(/equal bits of equal calls/),
    }),
  );
  expect(() => refuseLacking(promotingRun(1, { engine: local() }), opened)).not.toThrow();
});

test("clipping is a need where a part clips, and a new optimiser where one is asked for", () => {
  const needs = (optimize: Parameters<typeof promotingRun>[1]) => {
    const { gradientClipping, freshOptimizer } = engineNeedsOf(promotingRun(1, optimize));
    return { gradientClipping, freshOptimizer };
  };
  const prepare = supervised({ on: demonstrations(), gradientClipNorm: 0 });
  const imitating = (options: SupervisedOptions) => ({
    prepare,
    optimize: rejectionSampling({ update: supervised(options) }),
  });
  const plain = { gradientClipNorm: 0 };
  expect(needs(imitating(plain))).toEqual({ gradientClipping: false, freshOptimizer: false });
  expect(needs(imitating({}))).toEqual({ gradientClipping: true, freshOptimizer: false });
  expect(needs({ ...imitating(plain), prepare: supervised({ on: demonstrations() }) })).toMatchObject({
    gradientClipping: true,
  });
  expect(needs(imitating({ ...plain, optimizerState: "fresh" }))).toMatchObject({ freshOptimizer: true });
  const following = (options: PolicyGradientOptions) => ({
    prepare,
    optimize: gro({
      generate: samples({ samples: 4 }),
      reward: verifier(),
      update: policyGradient(options),
    }),
  });
  expect(needs(following({}))).toEqual({ gradientClipping: true, freshOptimizer: true });
  expect(needs(following({ ...plain, optimizerState: "continued" }))).toEqual({
    gradientClipping: false,
    freshOptimizer: false,
  });
});

test("every run needs weight decay, and who samples from a nucleus needs that", () => {
  const sampling = (topP: number) => ({
    optimize: gro({ generate: samples({ samples: 4, topP }), reward: verifier(), update: supervised() }),
    refine: sampledDecoding({ topP }),
  });
  expect(engineNeedsOf(promotingRun(1, sampling(1)))).toMatchObject({ weightDecay: true, topP: false });
  const { optimize, refine } = sampling(0.9);
  for (const part of [{ optimize }, { refine }])
    expect(engineNeedsOf(promotingRun(1, { ...sampling(1), ...part })).topP).toBe(true);
});

test("what the configuration itself asks of an engine is a need", async () => {
  expect(engineNeedsOf(promotingRun(1))).toMatchObject({ loraRank: 0, gradientCheckpointing: false });
  const asking = promotingRun(1, { lora: { rank: 4 }, gradientCheckpointing: true });
  expect(engineNeedsOf(asking)).toMatchObject({ loraRank: 4, gradientCheckpointing: true });
  await expect(plan(asking, { folder })).rejects.toMatchObject({
    code: "engine-lacks",
    message:
      "The engine tabular does not have adapters or gradient checkpointing, which is asked of it; use local().",
  });
});

test("a run is refused for what its engine lacks before anything starts, by plan and by run", async () => {
  const coarse = promotingRun(1, { precision: "bf16" });
  const refusal = {
    code: "engine-lacks",
    message: "The engine tabular does not have the precision bf16, which is asked of it; use local().",
  };
  await expect(plan(coarse, { folder })).rejects.toMatchObject(refusal);
  await expect(run(coarse, { folder })).rejects.toMatchObject(refusal);
});

test("an engine that says only when it is opened what it can is asked then", async () => {
  const { abilities: _untold, ...silent } = tabular();
  const definition = promotingRun(1, { engine: { ...silent, name: "silent" }, precision: "bf16" });
  await expect(run(definition, { folder })).rejects.toMatchObject({
    code: "engine-lacks",
    message: expect.stringMatching(/^The engine silent does not have the precision bf16.*use local\(\)\.$/),
  });
});
