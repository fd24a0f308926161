import type { EngineModel, OptimizerStep } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertClose, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const indices = [0, 1, 2, 3, 4, 5];
const quiet = { loss: crossEntropy, logprobs: "none" } as const;

/** The logprobs of a new model's data after these steps on it. */
async function logprobsAfter(
  bench: Bench,
  steps: readonly { readonly weight: number; readonly step: OptimizerStep }[],
): Promise<number[]> {
  const model = await bench.model();
  for (const { weight, step } of steps) {
    await model.forwardBackward(bench.astray(indices, weight), quiet);
    await model.optimStep(step);
  }
  return await bench.logprobs(model, bench.weighted(indices));
}

export const optimizerChecks: readonly CheckDefinition[] = [
  {
    name: "accumulation equals one batch",
    fast: true,
    check: async (bench) => {
      const [one, parts] = [await bench.model(), await bench.model()];
      const [data, lines] = [bench.astray(indices, 0.7), bench.weighted(indices)];
      const before = await bench.logprobs(one, lines);
      await one.forwardBackward(data, quiet);
      for (const datum of data) await parts.forwardBackward([datum], quiet);
      const [whole, summed] = [
        await one.optimStep(bench.gentle(0.1)),
        await parts.optimStep(bench.gentle(0.1)),
      ];
      const after = await bench.logprobs(one, lines);
      assertMoved("the policy", after, before, bench.trainedCloseness);
      assertAllClose(
        bench,
        "a logprob after the step",
        await bench.logprobs(parts, lines),
        after,
        bench.trainedCloseness,
      );
      assertClose(
        bench,
        "the gradient",
        summed.gradientNorm / whole.gradientNorm,
        1,
        bench.gradientTolerance,
      );
    },
  },
  {
    name: "a step uses up the gradient",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      await model.forwardBackward(bench.weighted(indices), quiet);
      const first = await model.optimStep({ learningRate: 1e-3 });
      assert(first.gradientNorm > 0, "there is no gradient");
      const second = await model.optimStep({ learningRate: 1e-3 });
      assert(second.gradientNorm === 0, `a gradient of ${second.gradientNorm} is left after a step`);
      assert(second.step === first.step + 1, `step ${second.step} came after step ${first.step}`);
    },
  },
  {
    name: "forward leaves the gradient alone",
    check: async (bench) => {
      const model = await bench.model();
      await model.forward(bench.weighted(indices), quiet);
      assert((await bench.gradientNorm(model)) === 0, "forward has added to the gradient");
    },
  },
  {
    name: "a learning rate of zero changes nothing",
    check: async (bench) => {
      const model = await bench.model();
      const before = await bench.logprobs(model, bench.weighted(indices));
      await model.forwardBackward(bench.weighted(indices), quiet);
      await model.optimStep({ learningRate: 0 });
      const after = await bench.logprobs(model, bench.weighted(indices));
      assertAllClose(bench, "a logprob", after, before, bench.logprobCloseness);
    },
  },
  {
    name: "gradientClipNorm scales the gradient, and its norm is told as it was",
    check: async (bench) => {
      const step = bench.gentle(0.1);
      const norm = await gradientNormOf(bench);
      const clipped = { ...step, gradientClipNorm: norm / 4 };
      const [half, plain, loose] = [
        await logprobsAfter(bench, [{ weight: 1, step: clipped }]),
        await logprobsAfter(bench, [{ weight: 0.25, step }]),
        await logprobsAfter(bench, [{ weight: 0.25, step: { ...step, gradientClipNorm: norm } }]),
      ];
      assertMoved("the policy", half, await logprobsAfter(bench, []), bench.trainedCloseness);
      assertAllClose(bench, "a logprob after a clipped step", half, plain, bench.trainedCloseness);
      assertAllClose(bench, "a logprob after a step below the clip", loose, plain, bench.trainedCloseness);
      const model = await bench.model();
      await model.forwardBackward(bench.astray(indices), quiet);
      const { gradientNorm } = await model.optimStep(clipped);
      assertClose(bench, "the norm before clipping", gradientNorm / norm, 1, bench.gradientTolerance);
    },
  },
  {
    name: "weightDecay shrinks the weights themselves",
    excuse: (_, { adapters }) =>
      adapters === true
        ? "its model comes as adapters, and what their base says alone is not at hand"
        : undefined,
    check: async (bench) => {
      for (const optimizer of bench.capabilities.optimizers) {
        const model = await bench.model();
        const base = await bench.logprobs(model, bench.weighted(indices));
        await model.forwardBackward(bench.astray(indices), quiet);
        await model.optimStep(bench.gentle(0.3));
        const before = await bench.logprobs(model, bench.weighted(indices));
        assertMoved("the policy", before, base, bench.trainedCloseness);
        // Times 1 − 0.5·2: nothing is left, and every token that can be is as likely as another; of adapters, their base is.
        const gone = { learningRate: 0.5, weightDecay: 2, beta1: 0, beta2: 0 };
        await model.optimStep({ optimizer, ...gone });
        const after = await bench.logprobs(model, bench.weighted(indices));
        assertMoved("the policy", after, before, bench.trainedCloseness);
        // One that is rough is no measure of the others.
        const likely = bench.rough ? meanOf(after) : (after[0] as number);
        const left = bench.subject.lora === undefined ? after.map(() => likely) : base;
        assertAllClose(
          bench,
          `a logprob without weights (${optimizer})`,
          after,
          left,
          bench.logprobCloseness,
        );
      }
    },
  },
  {
    name: "adamw does not depend on the gradient's scale",
    excuse: ({ optimizers }) => (optimizers.includes("adamw") ? undefined : "it has no adamw"),
    check: async (bench) => {
      // A power of two, so that the scaled gradient has the same digits.
      const step = bench.step(0.01, { optimizer: "adamw", epsilon: 1e-20 });
      const run = (scale: number) =>
        logprobsAfter(bench, [
          { weight: scale, step },
          { weight: -2 * scale, step },
        ]);
      const plain = await run(1);
      assertMoved("the policy", plain, await logprobsAfter(bench, []), bench.trainedCloseness);
      assertAllClose(bench, "a logprob after a scaled gradient", await run(4), plain, bench.trainedCloseness);
    },
  },
  {
    name: "adamw remembers earlier gradients as long as its betas say",
    excuse: ({ optimizers }) => (optimizers.includes("adamw") ? undefined : "it has no adamw"),
    check: async (bench) => {
      const step = bench.step(0.01, { optimizer: "adamw", epsilon: 1e-2 });
      const steps = (betas: Partial<OptimizerStep>) => [
        { weight: 1, step: { ...step, ...betas } },
        { weight: 0, step: { ...step, ...betas } },
      ];
      const after = (all: ReturnType<typeof steps>): Promise<number[]> => logprobsAfter(bench, all);
      const once = await after(steps({}).slice(0, 1));
      const forgetful = await after(steps({ beta1: 0, beta2: 0 }));
      assertAllClose(
        bench,
        "a logprob after a step without a gradient",
        forgetful,
        once,
        bench.trainedCloseness,
      );
      const defaults = await after(steps({}));
      assertMoved("the policy, by what is remembered,", defaults, once, bench.trainedCloseness);
      const named = await after(steps({ beta1: 0.9, beta2: 0.999 }));
      assertAllClose(bench, "a logprob under the defaults", defaults, named, bench.trainedCloseness);
    },
  },
];

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function gradientNormOf(bench: Bench): Promise<number> {
  const model: EngineModel = await bench.model();
  await model.forwardBackward(bench.astray(indices), quiet);
  return await bench.gradientNorm(model);
}
