import { describe, expect, test } from "vitest";
import type { Datum, OptimizerStep } from "../../../foundation/contract/index.ts";
import { freshOptimizer } from "./optimizer.ts";
import { Table, type TableOptions } from "./table.ts";
import { Trainer } from "./trainer.ts";

const vocabulary = 3;
const limits = { vocabulary, maxPositions: undefined };
const options: TableOptions = {
  vocabulary,
  reach: { horizon: 8, backOff: 1 },
  seed: 3,
  deviation: 1,
  suppressed: [],
};

/** All prefixes of up to three tokens. */
const prefixes = [[0], [1], [2]].flatMap((one) => [
  one,
  ...[0, 1, 2].flatMap((two) => [[...one, two], ...[0, 1, 2].map((three) => [...one, two, three])]),
]);

const trainerOf = (table: Table): Trainer =>
  new Trainer({ table, limits, step: 0, optimizer: freshOptimizer() });

function logits(table: Table, tokens: readonly number[]): number[] {
  const sequence = Int32Array.from(tokens);
  const out = new Float64Array(vocabulary);
  let node = table.index.start;
  for (let position = 0; position < sequence.length; position++)
    node = table.index.node(sequence, position, node);
  table.read(out, sequence, sequence.length - 1, node);
  return Array.from(out);
}

/** The table written out whole, and stepped as the papers and PyTorch have it: the plainest form, row by row. */
class DenseTable {
  readonly rows = new Map<
    string,
    { weights: number[]; first: number[]; second: number[]; gradient: number[] }
  >();
  steps = 0;

  constructor(table: Table) {
    const zeros = () => new Array<number>(vocabulary).fill(0);
    for (const prefix of prefixes)
      this.rows.set(prefix.join(), {
        weights: logits(table, prefix),
        first: zeros(),
        second: zeros(),
        gradient: zeros(),
      });
  }

  backward({ tokens, targets, weights }: Datum): void {
    for (const [position, target] of targets.entries()) {
      const row = this.rows.get(tokens.subarray(0, position + 1).join());
      if (row === undefined) throw new Error("the test trains on prefixes of at most three tokens");
      const exponentials = row.weights.map(Math.exp);
      const sum = exponentials.reduce((total, one) => total + one, 0);
      for (const [token, exponential] of exponentials.entries())
        row.gradient[token] =
          (row.gradient[token] as number) -
          (weights?.[position] as number) * ((token === target ? 1 : 0) - exponential / sum);
    }
  }

  step(step: OptimizerStep): void {
    const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = step;
    const { optimizer = "adamw", gradientClipNorm = 0 } = step;
    const all = [...this.rows.values()];
    const norm = Math.hypot(...all.flatMap(({ gradient }) => gradient));
    const clip = gradientClipNorm > 0 && norm > gradientClipNorm ? gradientClipNorm / (norm + 1e-6) : 1;
    if (optimizer === "adamw") this.steps += 1;
    for (const row of all)
      for (let at = 0; at < vocabulary; at++) {
        const slope = (row.gradient[at] as number) * clip;
        row.gradient[at] = 0;
        const decayed = (row.weights[at] as number) * (1 - learningRate * weightDecay);
        if (optimizer === "sgd") {
          row.weights[at] = decayed - learningRate * slope;
          continue;
        }
        row.first[at] = beta1 * (row.first[at] as number) + (1 - beta1) * slope;
        row.second[at] = beta2 * (row.second[at] as number) + (1 - beta2) * slope ** 2;
        const mean = (row.first[at] as number) / (1 - beta1 ** this.steps);
        const square = (row.second[at] as number) / (1 - beta2 ** this.steps);
        row.weights[at] = decayed - (learningRate * mean) / (Math.sqrt(square) + epsilon);
      }
  }
}

/** A different sequence of up to three tokens for each step, so that rows are stored at different times. */
function datumOf(step: number): Datum {
  const length = 1 + (step % 3);
  const token = (place: number): number => (step * (place + 1) + (step >> 2)) % vocabulary;
  return {
    tokens: Int32Array.from({ length }, (_, place) => token(place)),
    targets: Int32Array.from({ length }, (_, place) => token(place + 1)),
    weights: Float32Array.from({ length }, (_, place) => (place === 1 ? -0.5 : 1)),
  };
}

describe("a table whose rows are stored when they are first trained on", () => {
  test.each<readonly [string, (step: number) => OptimizerStep]>([
    ["adamw", () => ({ learningRate: 0.05, weightDecay: 0.3 })],
    [
      "adamw of other betas",
      () => ({ learningRate: 0.05, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 0 }),
    ],
    ["adamw, clipped", () => ({ learningRate: 0.05, epsilon: 1e-2, gradientClipNorm: 0.4 })],
    ["sgd", () => ({ optimizer: "sgd", learningRate: 0.3, weightDecay: 0.2 })],
    [
      "one after the other",
      (step) => ({ optimizer: step % 3 === 0 ? "sgd" : "adamw", learningRate: 0.1 / (1 + step) }),
    ],
  ])("is the dense table at every step: %s", (_name, stepOf) => {
    const table = new Table(options);
    const dense = new DenseTable(table);
    const trainer = trainerOf(table);
    for (let step = 0; step < 40; step++) {
      // Every tenth step has no gradient: moments still move what they belong to.
      const data = step % 10 === 9 ? [] : [datumOf(step), datumOf(step + 1)];
      if (data.length > 0) trainer.run(data, { name: "cross_entropy" }, "none", true);
      for (const datum of data) dense.backward(datum);
      trainer.optimStep(stepOf(step));
      dense.step(stepOf(step));
      for (const prefix of prefixes) {
        const { weights } = dense.rows.get(prefix.join()) as { weights: number[] };
        for (const [token, logit] of logits(table, prefix).entries())
          expect(logit).toBeCloseTo(weights[token] as number, 10);
      }
    }
    // It is lazy: not all rows were trained on.
    expect(table.rows).toBeGreaterThan(5);
    expect(table.rows).toBeLessThan(prefixes.length);
  });

  test("a table of zeros stays one where nothing is trained, whatever decays", () => {
    const table = new Table({ ...options, deviation: 0 });
    const trainer = trainerOf(table);
    trainer.run([datumOf(1)], { name: "cross_entropy" }, "none", true);
    trainer.optimStep({ learningRate: 1, weightDecay: 0.9 });
    expect(logits(table, [2, 2, 2])).toEqual([0, 0, 0]);
  });
});
