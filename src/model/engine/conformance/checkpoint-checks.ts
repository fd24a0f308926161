import type { EngineModel } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertMoved, assertRefused } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;

async function train(bench: Bench, model: EngineModel, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await model.forwardBackward(bench.astray(bench.several, 1 + step), quiet);
    await model.optimStep(bench.step(0.02, { epsilon: 1e-2 }));
  }
}

const measure = (bench: Bench, model: EngineModel): Promise<number[]> =>
  bench.logprobs(model, bench.weighted(bench.several));

export const checkpointChecks: readonly CheckDefinition[] = [
  {
    name: "what is loaded goes on as what was saved",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      await train(bench, model, 3);
      const path = await bench.path("whole");
      await model.save({ path });
      const saved = await measure(bench, model);
      const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: true });
      assert(again.info.step === 3, `a checkpoint of step 3 is loaded as of step ${again.info.step}`);
      assertAllClose(bench, "a loaded logprob", await measure(bench, again), saved, bench.logprobCloseness);
      // Without a gradient, so that only what the optimiser remembers moves the weights.
      for (const one of [model, again]) await one.optimStep(bench.step(0.1, { epsilon: 1e-2 }));
      const [first, second] = [await measure(bench, model), await measure(bench, again)];
      assertMoved("the policy, by what is remembered,", first, saved, bench.trainedCloseness);
      assertAllClose(bench, "a logprob after the next step", second, first, bench.trainedCloseness);
      for (const one of [model, again]) await train(bench, one, 2);
      assertAllClose(
        bench,
        "a logprob after more steps",
        await measure(bench, again),
        await measure(bench, model),
        bench.trainedCloseness,
      );
      const step = await again.optimStep({ learningRate: 0 });
      assert(step.step === 7, `the step after six is counted as ${step.step}`);
    },
  },
  {
    name: "a checkpoint without its optimiser has the weights, and a new optimiser",
    check: async (bench) => {
      const model = await bench.model();
      await train(bench, model, 2);
      const path = await bench.path("weights");
      await model.save({ path, optimizer: false });
      const saved = await measure(bench, model);
      const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: false });
      assertAllClose(bench, "a loaded logprob", await measure(bench, again), saved, bench.logprobCloseness);
      for (const one of [model, again]) await one.optimStep(bench.step(0.02, { epsilon: 1e-2 }));
      const remembered = await measure(bench, model);
      assertMoved("the policy, by what is remembered,", remembered, saved, bench.trainedCloseness);
      assertAllClose(
        bench,
        "a logprob after a step without a gradient",
        await measure(bench, again),
        saved,
        bench.trainedCloseness,
      );
    },
  },
  {
    name: "a sampler can be loaded from a checkpoint",
    check: async (bench) => {
      const model = await bench.model();
      await train(bench, model, 2);
      const path = await bench.path("sampled");
      const saved = await model.save({ path });
      assert(saved.path === path && saved.bytes > 0, `${saved.bytes} bytes were saved at ${saved.path}`);
      const expected = await measure(bench, model);
      await train(bench, model, 1);
      assertMoved("the policy", await measure(bench, model), expected, bench.logprobCloseness);
      const sampler = bench.hold(
        await bench.subject.engine.loadSampler({
          source: { kind: "checkpoint", path, optimizer: false },
          ...bench.loading,
        }),
      );
      const scores = await bench.scores(sampler);
      assertAllClose(bench, "a loaded sampler's logprob", scores, expected, bench.logprobCloseness);
      assert(sampler.weightVersion === path, `the sampler of ${path} is of ${sampler.weightVersion}`);
    },
  },
  {
    name: "a checkpoint is never written over",
    check: async (bench) => {
      const model = await bench.model();
      const path = await bench.path("twice");
      await model.save({ path });
      const before = await measure(bench, model);
      await train(bench, model, 2);
      assertMoved("the policy", await measure(bench, model), before, bench.logprobCloseness);
      await assertRefused("a path that exists", () => model.save({ path }), "save-exists");
      const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: true });
      assertAllClose(
        bench,
        "a logprob of the first checkpoint",
        await measure(bench, again),
        before,
        bench.logprobCloseness,
      );
      await model.save({ path: await bench.path("other") });
    },
  },
];
