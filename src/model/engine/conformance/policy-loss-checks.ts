import type { Datum, EngineModel, Loss } from "../../../foundation/contract/index.ts";
import { assertAllClose, assertClose, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { type CheckDefinition, lacks } from "./check.ts";

const importanceSampling: Loss = { name: "importance_sampling" };
const ppo: Loss = { name: "ppo" };
const indices = [0, 1, 2, 3];

/** Signed and different everywhere. */
const advantagesOf = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, place) => (place % 2 === 0 ? 1 : -0.5) * (1 + place / 4));

/** What was sampled by a policy that gave every target `ratio` times less than the model does. */
async function sampledData(
  bench: Bench,
  model: EngineModel,
  ratio: number,
  advantagesFor: (length: number) => Float32Array = advantagesOf,
): Promise<Datum[]> {
  const data = bench.weighted(indices);
  const { logprobs } = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
  return data.map(({ tokens, targets }, index) => ({
    tokens,
    targets,
    advantages: advantagesFor(tokens.length),
    logprobs: Float32Array.from(logprobs[index] ?? [], (logprob) => logprob - Math.log(ratio)),
  }));
}

async function measure(
  bench: Bench,
  model: EngineModel,
  data: readonly Datum[],
  loss: Loss,
): Promise<{ readonly lossSum: number; readonly norm: number }> {
  const { lossSum } = await model.forwardBackward(data, { loss, logprobs: "none" });
  return { lossSum, norm: await bench.gradientNorm(model) };
}

const gainOf = (data: readonly Datum[]): number =>
  data.reduce(
    (sum, { advantages }) => Array.from(advantages ?? []).reduce((total, one) => total + one, sum),
    0,
  );

export const policyLossChecks: readonly CheckDefinition[] = [
  {
    name: "importance_sampling of one's own samples is cross_entropy with advantages as weights",
    excuse: lacks("importance_sampling"),
    check: async (bench) => {
      const [one, other] = [await bench.model(), await bench.model()];
      const data = await sampledData(bench, one, 1);
      const before = await bench.logprobs(one, data);
      const { lossSum } = await one.forwardBackward(data, { loss: importanceSampling });
      assertClose(bench, "the loss", lossSum, -gainOf(data), bench.lossTolerance(10));
      const weighted = data.map(({ tokens, targets, advantages }) => ({
        tokens,
        targets,
        ...(advantages === undefined ? {} : { weights: advantages }),
      }));
      await other.forwardBackward(weighted, { loss: crossEntropy });
      const [first, second] = await Promise.all([
        one.optimStep(bench.gentle(0.1)),
        other.optimStep(bench.gentle(0.1)),
      ]);
      assertClose(
        bench,
        "the gradient",
        first.gradientNorm / second.gradientNorm,
        1,
        bench.derivedTolerance(),
      );
      const after = await bench.logprobs(one, data);
      assertMoved("the policy", after, before, bench.trainedCloseness);
      assertAllClose(
        bench,
        "a logprob after the step",
        after,
        await bench.logprobs(other, data),
        bench.trainedCloseness,
      );
    },
  },
  {
    name: "importance_sampling weighs by the probability ratio",
    excuse: lacks("importance_sampling"),
    check: async (bench) => {
      const model = await bench.model();
      const once = await measure(bench, model, await sampledData(bench, model, 1), importanceSampling);
      const data = await sampledData(bench, model, 2);
      const twice = await measure(bench, model, data, importanceSampling);
      assertClose(bench, "the loss at ratio 2", twice.lossSum, -2 * gainOf(data), bench.lossTolerance(20));
      assertClose(bench, "the gradient at ratio 2", twice.norm / once.norm, 2, bench.derivedTolerance(2));
    },
  },
  {
    name: "ppo is importance_sampling while the ratio is near one",
    excuse: lacks("importance_sampling", "ppo"),
    check: async (bench) => {
      const model = await bench.model();
      // Rough ones keep farther from 0.8 and 1.2, beyond 0.9 and 1.1 as well, where each that is beyond would be clipped.
      for (const ratio of bench.rough ? [0.87, 1.13] : [0.85, 1.15]) {
        const outwards = (length: number) =>
          advantagesOf(length).map((one) => Math.sign(ratio - 1) * Math.abs(one));
        const data = await sampledData(bench, model, ratio, bench.rough ? outwards : advantagesOf);
        const plain = await measure(bench, model, data, importanceSampling);
        const clipped = await measure(bench, model, data, ppo);
        assertClose(
          bench,
          `the loss at ratio ${ratio}`,
          clipped.lossSum,
          plain.lossSum,
          bench.lossTolerance(10),
        );
        assertClose(
          bench,
          `the gradient at ratio ${ratio}`,
          clipped.norm / plain.norm,
          1,
          bench.derivedTolerance(),
        );
      }
    },
  },
  {
    name: "ppo clips what has gone far enough, and only that",
    fast: true,
    excuse: lacks("importance_sampling", "ppo"),
    check: async (bench) => {
      const model = await bench.model();
      const constant = (value: number) => (length: number) => new Float32Array(length).fill(value);
      // A far ratio in the direction of its advantage is clipped; against it, it is not (arXiv 1707.06347, figure 1).
      const cases = [
        { ratio: 2, advantage: 1, limit: 1.2 },
        { ratio: 2, advantage: -1, limit: undefined },
        { ratio: 0.5, advantage: -1, limit: 0.8 },
        { ratio: 0.5, advantage: 1, limit: undefined },
      ];
      for (const { ratio, advantage, limit } of cases) {
        const what = `at ratio ${ratio} and advantage ${advantage}`;
        const data = await sampledData(bench, model, ratio, constant(advantage));
        const plain = await measure(bench, model, data, importanceSampling);
        const clipped = await measure(bench, model, data, ppo);
        const tolerance = bench.lossTolerance(20);
        assertClose(bench, `the loss ${what}`, clipped.lossSum, -gainOf(data) * (limit ?? ratio), tolerance);
        assertClose(
          bench,
          `the gradient ${what}`,
          clipped.norm / plain.norm,
          limit === undefined ? 1 : 0,
          bench.derivedTolerance(2),
        );
        const wide = await measure(bench, model, data, { name: "ppo", clipLow: 0.1, clipHigh: 10 });
        assertClose(
          bench,
          `the gradient ${what} of wide clips`,
          wide.norm / plain.norm,
          1,
          bench.derivedTolerance(2),
        );
      }
    },
  },
  {
    name: "a mask says which positions count",
    excuse: lacks("importance_sampling"),
    check: async (bench) => {
      const model = await bench.model();
      const data = await sampledData(bench, model, 1);
      const masks = data.map(({ tokens }) =>
        Float32Array.from(tokens, (_, place) => (place % 2 === 0 ? 1 : 0)),
      );
      const masked = data.map((datum, index) => ({ ...datum, mask: masks[index] as Float32Array }));
      const without = data.map((datum, index) => ({
        ...datum,
        advantages: (datum.advantages ?? new Float32Array()).map(
          (one, place) => one * (masks[index]?.[place] ?? 0),
        ),
      }));
      const [one, other] = [
        await measure(bench, model, masked, importanceSampling),
        await measure(bench, model, without, importanceSampling),
      ];
      assertClose(bench, "the loss under a mask", one.lossSum, other.lossSum, bench.lossTolerance(10));
      assertClose(bench, "the gradient under a mask", one.norm / other.norm, 1, bench.derivedTolerance());
      const { positions } = await model.forward(masked, { loss: importanceSampling });
      const count = masks.reduce((sum, mask) => sum + mask.filter((value) => value !== 0).length, 0);
      assertClose(bench, "the positions that count", positions, count, 0);
    },
  },
];
