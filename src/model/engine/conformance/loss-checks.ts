import { assert, assertClose, assertFar, Comparison } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { type CheckDefinition, manyTokens } from "./check.ts";

const few = [0, 1, 2];

export const lossChecks: readonly CheckDefinition[] = [
  {
    name: "a loss is a sum over positions",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.weighted([0, 1, 2, 3], 0.5);
      const whole = await model.forward(data, { loss: crossEntropy });
      const parts = [];
      for (const datum of data) parts.push(await model.forward([datum], { loss: crossEntropy }));
      const sum = parts.reduce((total, { lossSum }) => total + lossSum, 0);
      assertClose(bench, "the loss of a batch", whole.lossSum, sum, bench.lossTolerance());
      const weighed = whole.logprobs.reduce((total, values) => total - 0.5 * sumOf(values), 0);
      assertClose(bench, "the loss against its logprobs", whole.lossSum, weighed, bench.lossTolerance());
      const count = data.reduce((total, { tokens }) => total + tokens.length, 0);
      assert(whole.positions === count, `${whole.positions} positions count instead of ${count}`);
    },
  },
  {
    name: "a gradient is a sum over positions",
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.weighted(few);
      const once = await normOf(bench, model, [data]);
      assert(once > 0, "there is no gradient");
      const twice = await normOf(bench, model, [[...data, ...data]]);
      assertClose(
        bench,
        "the gradient of a batch that is there twice",
        twice / once,
        2,
        bench.gradientTolerance,
      );
      const half = await normOf(bench, model, [bench.weighted(few, 0.5)]);
      assertClose(bench, "the gradient of half the weight", half / once, 0.5, bench.gradientTolerance);
    },
  },
  {
    name: "the probabilities of all tokens sum to one",
    excuse: manyTokens,
    check: async (bench) => {
      const model = await bench.model();
      const prefix = bench.sequence(3);
      // Of weight 0: a token that is impossible is then no mistake.
      const data = Array.from({ length: bench.subject.vocabularySize }, (_, id) => ({
        tokens: prefix,
        targets: Int32Array.of(...prefix.subarray(1), id),
        weights: new Float32Array(prefix.length),
      }));
      const result = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
      const logprobs = result.logprobs.flatMap((values) => Array.from(values));
      const last = logprobs.filter((_, index) => (index + 1) % prefix.length === 0);
      const whole = last.reduce((sum, logprob) => sum + Math.exp(logprob), 0);
      assertClose(bench, "the sum of all probabilities", whole, 1, bench.lossTolerance());
    },
  },
  {
    name: "logprobs come back as they are asked for",
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.data([0, 1, 2, 3, 4, 5], (length) => ({
        weights: Float32Array.from({ length }, (_, place) =>
          place % 2 === 0 ? 0 : place % 3 === 0 ? -1 : 2,
        ),
      }));
      const all = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
      const weighted = await model.forward(data, { loss: crossEntropy, logprobs: "weighted" });
      const none = await model.forward(data, { loss: crossEntropy, logprobs: "none" });
      assert(
        none.logprobs.every(({ length }) => length === 0),
        "logprobs came back though none were asked for",
      );
      assertClose(bench, "the loss without logprobs", none.lossSum, all.lossSum, bench.lossTolerance());
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (const [index, { tokens, weights }] of data.entries()) {
        const some = Array.from(weighted.logprobs[index] ?? []);
        assert(some.length === tokens.length, `${some.length} logprobs for ${tokens.length} positions`);
        for (const [place, weight] of (weights ?? []).entries()) {
          const logprob = some[place] as number;
          if (weight === 0)
            assert(Number.isNaN(logprob), `position ${place} does not count, and has a logprob`);
          else comparison.add(`logprob ${place}`, [logprob], [all.logprobs[index]?.[place] as number]);
        }
      }
      comparison.end("a logprob of weighted positions");
    },
  },
  {
    name: "a negative weight pushes its token down",
    fast: true,
    check: async (bench) => {
      // What a trained model says itself may have little left to gain.
      const data = bench.astray(few);
      const untouched = await bench.logprobs(await bench.model(), data);
      const before = sumOf(untouched);
      const moved: number[] = [];
      for (const weight of [1, -1]) {
        const model = await bench.model();
        await model.forwardBackward(bench.astray(few, weight), { loss: crossEntropy });
        await model.optimStep(bench.gentle(0.02));
        moved.push(sumOf(await bench.logprobs(model, data)) - before);
      }
      const [up, down] = moved as [number, number];
      const { each, mean } = bench.logprobCloseness;
      const needed = bench.rough ? 4 * mean * untouched.length : 20 * each;
      assertFar("the sum of logprobs, by a positive weight,", up, needed);
      assertFar("the sum of logprobs, downwards by a negative weight,", -down, needed);
    },
  },
  {
    name: "opposite weights cancel",
    check: async (bench) => {
      const model = await bench.model();
      const [plus, minus] = [bench.weighted(few, 1), bench.weighted(few, -1)];
      const alone = await normOf(bench, model, [plus]);
      const together = await normOf(bench, model, [[...plus, ...minus]]);
      assertClose(
        bench,
        "the gradient of opposite weights in one call",
        together / alone,
        0,
        bench.gradientTolerance,
      );
      const apart = await normOf(bench, model, [plus, minus]);
      assertClose(
        bench,
        "the gradient of opposite weights in two calls",
        apart / alone,
        0,
        bench.gradientTolerance,
      );
    },
  },
  {
    name: "a weight of zero does not count",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const [some, nothing] = [bench.weighted([0, 1]), bench.weighted([2, 3], 0)];
      const { lossSum, positions } = await model.forward(nothing, { loss: crossEntropy });
      assert(
        positions === 0 && lossSum === 0,
        `${positions} positions of weight 0 count, with a loss of ${lossSum}`,
      );
      const alone = await normOf(bench, model, [some]);
      const mixed = await normOf(bench, model, [[...some, ...nothing]]);
      assertClose(
        bench,
        "the gradient with positions of weight 0",
        mixed / alone,
        1,
        bench.gradientTolerance,
      );
      assert((await normOf(bench, model, [nothing])) === 0, "positions of weight 0 have a gradient");
    },
  },
];

/** The norm of the gradient that calls on these data add up to. */
async function normOf(
  bench: Bench,
  model: Awaited<ReturnType<Bench["model"]>>,
  calls: readonly ReturnType<Bench["weighted"]>[],
): Promise<number> {
  for (const data of calls) await model.forwardBackward(data, { loss: crossEntropy, logprobs: "none" });
  return await bench.gradientNorm(model);
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
