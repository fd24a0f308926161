import type { EngineModel, Sampler } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertFar, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { type CheckDefinition, notDrawn } from "./check.ts";

async function train(bench: Bench, model: EngineModel): Promise<void> {
  await model.forwardBackward(bench.astray(bench.several), { loss: crossEntropy, logprobs: "none" });
  await model.optimStep(bench.step(0.05));
}

async function sampledTokens(bench: Bench, sampler: Sampler): Promise<number[]> {
  const samples = await sampler.sample(
    [0, 1, 2, 3].map((index) => ({
      // Of what comes behind a whole line, a table has learnt nothing.
      prompt: bench.sequence(index).subarray(0, 1),
      samples: 4,
      seed: index,
      parameters: { maxTokens: 8 },
    })),
  );
  return samples.flat().flatMap(({ tokens }) => Array.from(tokens));
}

export const samplerChecks: readonly CheckDefinition[] = [
  {
    name: "a sampler's logprobs are the trainer's",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const trainer = await bench.logprobs(model, bench.weighted(bench.several));
      assertAllClose(
        bench,
        "a sampler's logprob",
        await bench.scores(sampler),
        trainer,
        bench.logprobCloseness,
      );
      const loaded = await bench.sampler();
      assertAllClose(
        bench,
        "a loaded sampler's logprob",
        await bench.scores(loaded),
        trainer,
        bench.logprobCloseness,
      );
      assert(loaded.weightVersion !== "", "a loaded sampler has no weight version");
    },
  },
  {
    name: "equal seeds draw equal weights, other seeds others",
    excuse: notDrawn,
    check: async (bench) => {
      const of = async (seed: number) =>
        await bench.logprobs(await bench.model(seed), bench.weighted(bench.several));
      const first = await of(11);
      assertAllClose(bench, "a logprob of the same seed", await of(11), first, bench.logprobCloseness);
      assertMoved("the policy of another seed", await of(12), first, bench.logprobCloseness);
    },
  },
  {
    name: "a sampler keeps its weights while the model learns",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const untouched = bench.hold(await model.snapshot());
      const before = await bench.scores(sampler);
      const tokens = await sampledTokens(bench, sampler);
      await train(bench, model);
      const learnt = await bench.logprobs(model, bench.weighted(bench.several));
      assertMoved("the policy", learnt, before, bench.trainedCloseness);
      const others = await sampledTokens(bench, bench.hold(await model.snapshot()));
      const changed = others.filter((token, place) => token !== tokens[place]).length;
      assertFar("what is sampled", changed, 0);
      assertAllClose(
        bench,
        "a logprob after the step",
        await bench.scores(sampler),
        before,
        bench.logprobCloseness,
      );
      assertAllClose(bench, "a sampled token after the step", await sampledTokens(bench, sampler), tokens, 0);
      // One that was never used before the step is not made from what the weights have become.
      assertAllClose(
        bench,
        "a logprob of an unused sampler",
        await bench.scores(untouched),
        before,
        bench.logprobCloseness,
      );
      // Nor is it put in the place of what the model has learnt.
      const now = await bench.logprobs(model, bench.weighted(bench.several));
      assertAllClose(bench, "a logprob of the model, once sampled from", now, learnt, bench.logprobCloseness);
    },
  },
  {
    name: "a new sampler has the newest weights, and says which",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const versions: string[] = [];
      let before: readonly number[] | undefined;
      for (let step = 0; step < 3; step++) {
        const sampler = bench.hold(await model.snapshot());
        versions.push(sampler.weightVersion);
        const trainer = await bench.logprobs(model, bench.weighted(bench.several));
        assertAllClose(
          bench,
          "a new sampler's logprob",
          await bench.scores(sampler),
          trainer,
          bench.logprobCloseness,
        );
        if (before !== undefined) assertMoved("the policy", trainer, before, bench.logprobCloseness);
        before = trainer;
        await train(bench, model);
      }
      const expected = [0, 1, 2].map((step) => `${model.id}@${step}`);
      assert(
        versions.join() === expected.join(),
        `weight versions are ${versions.join()}, not ${expected.join()}`,
      );
    },
  },
];
