import type { Datum } from "../../../foundation/contract/index.ts";
import { assert, assertAtMost } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";
import { overwrite, type SavedTensor, savedWeights } from "./saved-weights.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;
/** Weights of which each is moved by itself; of more, some are, and all together at random. */
const few = 600;

/** How far weights are moved, and how near the two gradients must be, relative to their size: by what the files hold. */
const precisions = {
  F32: { by: 3e-3, within: 1e-2 },
  F64: { by: 1e-4, within: 1e-5 },
} as const;

export const differenceChecks: readonly CheckDefinition[] = [
  {
    name: "the gradient of every weight is its finite difference",
    excuse: (_, { remote, precision }) =>
      remote === true
        ? "its checkpoints are out of sight"
        : (precision ?? "fp32") !== "fp32"
          ? "rounded weights do not move by little"
          : undefined,
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.data([0, 1, 2], (length) => ({
        weights: Float32Array.from({ length }, (_, place) => (place % 2 === 0 ? 1 : -0.5) * (1 + place / 4)),
      }));
      // Once away from where adapters begin, with a factor of zero; of longer data, so that a table has rows for all positions
      // even where their gradient is missing.
      const longer = data.map(({ tokens, targets }) => ({
        tokens: Int32Array.of(...tokens, targets.at(-1) as number),
        targets: Int32Array.of(...targets, tokens[0] as number),
        weights: new Float32Array(tokens.length + 1).fill(1),
      }));
      await model.forwardBackward(longer, quiet);
      await model.optimStep(bench.gentle(0.1));
      await model.forwardBackward(data, quiet);
      const [path, stepped] = [await bench.path("before"), await bench.path("after")];
      await model.save({ path, optimizer: false });
      // So far that rounding does not matter: nothing but the difference is looked at.
      const far = 1000;
      await model.optimStep(bench.descent(far));
      await model.save({ path: stepped, optimizer: false });
      const [before, after] = [savedWeights(path), savedWeights(stepped)];
      assert(before.length > 0, `there are no weights in ${path}`);
      const all = before.reduce((sum, { values }) => sum + values.length, 0);
      let [squared, whole] = [0, 0];
      for (const [index, tensor] of before.entries()) {
        const gradient = Float64Array.from(
          tensor.values,
          (value, at) => (value - (after[index]?.values[at] as number)) / far,
        );
        const { by } = precisions[dtypeOf(tensor)];
        for (const direction of all <= few ? units(gradient.length) : some(gradient, index)) {
          const expected = gradient.reduce((sum, value, at) => sum + value * (direction[at] as number), 0);
          const found = await slopeAlong(bench, { path, data, tensor, direction, by });
          squared += (found - expected) ** 2;
          whole += expected ** 2;
        }
      }
      assert(whole > 0, "there is no gradient");
      const { within } = precisions[dtypeOf(before[0] as SavedTensor)];
      assertAtMost(
        bench,
        "the distance of the gradient from finite differences, over its size",
        Math.sqrt(squared / whole),
        within,
      );
    },
  },
];

const dtypeOf = ({ values }: SavedTensor): keyof typeof precisions =>
  values instanceof Float32Array ? "F32" : "F64";

function* units(length: number): Generator<Float64Array> {
  for (let at = 0; at < length; at++) {
    const direction = new Float64Array(length);
    direction[at] = 1;
    yield direction;
  }
}

/** All weights of a tensor to random sides, and the one of the largest gradient alone. */
function* some(gradient: Float64Array, seed: number): Generator<Float64Array> {
  yield gradient.map((_, at) =>
    (Math.sin(12.9898 * (at + 1) + 78.233 * (seed + 1)) * 43758.5453) % 1 > 0 ? 1 : -1,
  );
  const largest = gradient.reduce(
    (best, value, at) => (Math.abs(value) > Math.abs(gradient[best] as number) ? at : best),
    0,
  );
  yield new Float64Array(gradient.length).fill(1, largest, largest + 1);
}

interface Move {
  /** The checkpoint, which is as it was afterwards. */
  readonly path: string;
  readonly data: readonly Datum[];
  readonly tensor: SavedTensor;
  readonly direction: Float64Array;
  readonly by: number;
}

/** The central difference of the loss, of weights that were moved in the file. */
async function slopeAlong(bench: Bench, { path, data, tensor, direction, by }: Move): Promise<number> {
  const lossAt = async (sign: number): Promise<number> => {
    overwrite(
      tensor,
      tensor.values.map((value, at) => value + sign * by * (direction[at] as number)),
    );
    const source = { kind: "checkpoint", path, optimizer: false } as const;
    await using model = await bench.subject.engine.createModel({ source, ...bench.loading });
    return (await model.forward(data, quiet)).lossSum;
  };
  const slope = ((await lossAt(1)) - (await lossAt(-1))) / (2 * by);
  overwrite(tensor, tensor.values);
  return slope;
}
