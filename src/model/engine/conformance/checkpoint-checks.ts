import type { EngineModel } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertMoved, assertRefused } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const indices = [0, 1, 2, 3];
const quiet = { loss: crossEntropy, logprobs: "none" } as const;

async function train(bench: Bench, model: EngineModel, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await model.forwardBackward(bench.weighted(indices, 1 + step), quiet);
    await model.optimStep({ learningRate: 0.02, epsilon: 1e-2, weightDecay: 0 });
  }
}

const measure = (bench: Bench, model: EngineModel): Promise<number[]> =>
  bench.logprobs(model, bench.weighted(indices));

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
      assertAllClose(bench, "a loaded logprob", await measure(bench, again), saved, bench.logprobTolerance);
      // Without a gradient, so that only what the optimiser remembers moves the weights.
      for (const one of [model, again])
        await one.optimStep({ learningRate: 0.1, epsilon: 1e-2, weightDecay: 0 });
      const [first, second] = [await measure(bench, model), await measure(bench, again)];
      assertMoved("the policy, by what is remembered,", first, saved, bench.trainedTolerance);
      assertAllClose(bench, "a logprob after the next step", second, first, bench.trainedTolerance);
      for (const one of [model, again]) await train(bench, one, 2);
      assertAllClose(
        bench,
        "a logprob after more steps",
        await measure(bench, again),
        await measure(bench, model),
        bench.trainedTolerance,
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
      assertAllClose(bench, "a loaded logprob", await measure(bench, again), saved, bench.logprobTolerance);
      await again.optimStep({ learningRate: 0.02, epsilon: 1e-2, weightDecay: 0 });
      assertAllClose(
        bench,
        "a logprob after a step without a gradient",
        await measure(bench, again),
        saved,
        bench.trainedTolerance,
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
      const sampler = bench.hold(
        await bench.subject.engine.loadSampler({
          source: { kind: "checkpoint", path, optimizer: false },
          ...bench.loading,
        }),
      );
      const logprobs = await sampler.logprobs(indices.map((index) => bench.sequence(index)));
      const flat = logprobs.flatMap((values) => Array.from(values.subarray(1)));
      assertAllClose(bench, "a loaded sampler's logprob", flat, expected, bench.logprobTolerance);
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
      await assertRefused("a path that exists", () => model.save({ path }), "save-exists");
      const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: true });
      assertAllClose(
        bench,
        "a logprob of the first checkpoint",
        await measure(bench, again),
        before,
        bench.logprobTolerance,
      );
      await model.save({ path: await bench.path("other") });
    },
  },
];
