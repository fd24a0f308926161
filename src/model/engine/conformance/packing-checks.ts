import type { Datum, EngineModel } from "../../../foundation/contract/index.ts";
import { assertAtMost, assertClose, Comparison } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

/** Lengths that differ, in no order. */
const indices = [0, 1, 2, 3, 4, 5, 6, 7];

function mixed(bench: Bench): Datum[] {
  return bench.data(indices, (length) => ({
    weights: Float32Array.from({ length }, (_, place) => (place % 2 === 0 ? 1 : -0.5) * (1 + place / 4)),
  }));
}

const negated = (data: readonly Datum[]): Datum[] =>
  data.map((datum) => ({ ...datum, weights: (datum.weights ?? new Float32Array()).map((one) => -one) }));

/** The norm of the difference between the gradients of the calls, over that of the first ones. */
async function difference(
  bench: Bench,
  model: EngineModel,
  calls: readonly (readonly Datum[])[],
  others: readonly (readonly Datum[])[],
): Promise<number> {
  const quiet = { loss: crossEntropy, logprobs: "none" } as const;
  for (const data of calls) await model.forwardBackward(data, quiet);
  const norm = await bench.gradientNorm(model);
  for (const data of calls) await model.forwardBackward(data, quiet);
  for (const data of others) await model.forwardBackward(negated(data), quiet);
  return (await bench.gradientNorm(model)) / norm;
}

export const packingChecks: readonly CheckDefinition[] = [
  {
    name: "a datum has in a batch what it has alone",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const data = mixed(bench);
      const together = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
      const alone = [];
      for (const datum of data)
        alone.push(await model.forward([datum], { loss: crossEntropy, logprobs: "all" }));
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (const [index, { logprobs }] of alone.entries())
        comparison.add(
          `a logprob of datum ${index} in a batch`,
          together.logprobs[index] ?? [],
          logprobs[0] ?? [],
        );
      comparison.end("a logprob in a batch");
      const sum = alone.reduce((total, { lossSum }) => total + lossSum, 0);
      assertClose(bench, "the loss of a batch", together.lossSum, sum, bench.lossTolerance(20));
      const each = data.map((datum) => [datum]);
      const left = await difference(bench, model, [data], each);
      assertAtMost(
        bench,
        "the gradient of a batch without those of its data alone, over its own",
        left,
        bench.derivedTolerance(),
      );
    },
  },
  {
    name: "positions behind the last that counts change nothing",
    check: async (bench) => {
      const model = await bench.model();
      const data = mixed(bench);
      const padded = data.map(({ tokens, targets, weights = new Float32Array() }, index) => {
        const more = Int32Array.from(
          { length: 1 + index },
          (_, at) => bench.tokens[(at + index) % bench.tokens.length] as number,
        );
        return {
          tokens: Int32Array.of(...tokens, ...more),
          targets: Int32Array.of(...targets, ...more),
          weights: Float32Array.of(...weights, ...new Float32Array(more.length)),
        };
      });
      const plain = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
      const longer = await model.forward(padded, { loss: crossEntropy, logprobs: "all" });
      assertClose(bench, "the loss of padded data", longer.lossSum, plain.lossSum, bench.lossTolerance(20));
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (const [index, logprobs] of plain.logprobs.entries())
        comparison.add(
          `a logprob of padded datum ${index}`,
          longer.logprobs[index]?.subarray(0, logprobs.length) ?? [],
          logprobs,
        );
      comparison.end("a logprob of padded data");
      const left = await difference(bench, model, [data], [padded]);
      assertAtMost(
        bench,
        "the gradient of data without that of the same, padded, over its own",
        left,
        bench.derivedTolerance(),
      );
    },
  },
  {
    name: "the order of data is irrelevant",
    check: async (bench) => {
      const model = await bench.model();
      const data = mixed(bench);
      const order = data.map((_, index) => (3 * index + 1) % data.length);
      const shuffled = order.map((index) => data[index] as Datum);
      const [plain, other] = [
        await model.forward(data, { loss: crossEntropy, logprobs: "all" }),
        await model.forward(shuffled, { loss: crossEntropy, logprobs: "all" }),
      ];
      assertClose(bench, "the loss in another order", other.lossSum, plain.lossSum, bench.lossTolerance(20));
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (const [place, index] of order.entries())
        comparison.add(
          `a logprob of datum ${index} at place ${place}`,
          other.logprobs[place] ?? [],
          plain.logprobs[index] ?? [],
        );
      comparison.end("a logprob in another order");
      const left = await difference(bench, model, [data], [shuffled]);
      assertAtMost(
        bench,
        "the gradient of data without that of the same in another order, over its own",
        left,
        bench.derivedTolerance(),
      );
    },
  },
];
