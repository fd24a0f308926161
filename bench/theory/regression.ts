import type { RandomStream } from "../../src/foundation/base/index.ts";
import { normals, range } from "./draws.ts";
import { dotsOf } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

const examples = 24;
const dimensions = 5;
const generations = 10;
const noise = 1;
/** σ²·E tr((XᵀX)⁻¹) = σ²·d/(T − d − 1), X of T rows from N(0, I_d): the mean of an inverse Wishart matrix. */
const first = (noise ** 2 * dimensions) / (examples - dimensions - 1);

/** ŵ_n = ŵ_{n−1} + X⁺E_n: independent errors add up. */
const replaced = (generation: number): number => first * generation;
/**
 * Least squares on n copies of X with the labels of all generations is the mean of their solutions,
 * ŵ_n = (1/n)·Σ(ŵ_{i−1} + X⁺E_i), and so ŵ_n = ŵ_{n−1} + X⁺E_n/n: the n-th error counts 1/n². Their sum is below π²/6.
 */
const accumulated = (generation: number): number =>
  first * range(1, generation).reduce((sum, index) => sum + 1 / index ** 2, 0);

const arms = { replace: replaced, accumulate: accumulated };
const bound = (first * Math.PI ** 2) / 6;

/** arXiv 2404.01413: labels of the model before it, alone or beside all labels of earlier generations. */
export const regression: Theory = {
  name: "regression",
  title: "Linear regression on its own labels",
  source: "arXiv 2404.01413",
  size: { groups: 100, chains: 60 },
  covers: "accumulate 10",
  quantities: [
    ...Object.entries(arms).flatMap(([arm, formula]) =>
      range(1, generations).map(
        (generation): Quantity => ({
          key: `${arm} ${generation}`,
          what: `${arm}: test error after ${generation} generation${generation === 1 ? "" : "s"}`,
          kind: "mean",
          predicted: formula(generation),
          tolerance: 0.025 * formula(generation),
          told: generation === generations || (generation === 1 && arm === "replace"),
        }),
      ),
    ),
    {
      key: "bound",
      what: "accumulate: below π²/6 times the first, for ever",
      kind: "mean",
      relation: "at most",
      predicted: bound,
      tolerance: 0,
      told: true,
    },
  ],
  wrong: [
    { what: "replace as if it accumulated", key: "replace 10", predicted: accumulated(10) },
    { what: "accumulate as if it replaced", key: "accumulate 10", predicted: replaced(10) },
    { what: "d/T in place of d/(T − d − 1)", key: "replace 1", predicted: dimensions / examples },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => ({
    title: "Replace, and errors add up; accumulate, and they do not",
    subtitle: `least squares, ${dimensions} dimensions, ${examples} labels a generation, noise of variance ${noise}`,
    panels: [
      {
        x: { label: "generation", whole: true },
        y: { label: "test error (mean square, without noise)", from: 0 },
        series: [
          {
            name: "replace",
            kind: "line",
            colour: 0,
            points: range(1, generations).map((x) => ({ x, y: replaced(x) })),
          },
          dotsOf(
            "replace",
            0,
            range(1, generations).map((x) => ({ x, row: found(`replace ${x}`) })),
          ),
          {
            name: "accumulate",
            kind: "line",
            colour: 1,
            points: range(1, generations).map((x) => ({ x, y: accumulated(x) })),
          },
          dotsOf(
            "accumulate",
            1,
            range(1, generations).map((x) => ({ x, row: found(`accumulate ${x}`) })),
          ),
          {
            name: "bound: π²/6 times the first",
            kind: "dots-and-dashes",
            colour: 2,
            points: [1, generations].map((x) => ({ x, y: bound })),
          },
        ],
      },
    ],
  }),
};

/** Squared distance from the true weights after each generation, both ways, on the same inputs X. */
function chain(stream: RandomStream): number[] {
  const normal = normals(stream);
  const inputs = Float64Array.from({ length: examples * dimensions }, normal);
  const factor = factorOf(inputs);
  const truth = Float64Array.from({ length: dimensions }, normal);
  const errors: number[] = [];
  for (const keeps of [false, true]) {
    let weights = truth;
    let sums = new Float64Array(dimensions);
    for (const generation of range(1, generations)) {
      const fresh = labelSums(inputs, weights, normal);
      sums = keeps ? sums.map((sum, index) => sum + (fresh[index] as number)) : fresh;
      // With n copies of the inputs, XᵀX is n times as large.
      const rows = keeps ? generation : 1;
      weights = solve(
        factor,
        sums.map((sum) => sum / rows),
      );
      errors.push(weights.reduce((sum, weight, index) => sum + (weight - (truth[index] as number)) ** 2, 0));
    }
  }
  return [...errors, errors.at(-1) as number];
}

/** Xᵀy of new labels y = Xw + noise. */
function labelSums(
  inputs: Float64Array,
  weights: Float64Array,
  normal: () => number,
): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(dimensions);
  for (let row = 0; row < examples; row++) {
    let label = noise * normal();
    for (let index = 0; index < dimensions; index++)
      label += (inputs[row * dimensions + index] as number) * (weights[index] as number);
    for (let index = 0; index < dimensions; index++)
      sums[index] = (sums[index] as number) + (inputs[row * dimensions + index] as number) * label;
  }
  return sums;
}

/** The Cholesky factor of XᵀX, row by row. */
function factorOf(inputs: Float64Array): Float64Array {
  const factor = new Float64Array(dimensions * dimensions);
  const of = (row: number, index: number): number => factor[row * dimensions + index] as number;
  for (let row = 0; row < dimensions; row++)
    for (let index = 0; index <= row; index++) {
      let sum = 0;
      for (let example = 0; example < examples; example++)
        sum +=
          (inputs[example * dimensions + row] as number) * (inputs[example * dimensions + index] as number);
      for (let before = 0; before < index; before++) sum -= of(row, before) * of(index, before);
      factor[row * dimensions + index] = row === index ? Math.sqrt(sum) : sum / of(index, index);
    }
  return factor;
}

/** The w with XᵀXw = sums: forwards, then backwards. */
function solve(factor: Float64Array, sums: Float64Array): Float64Array<ArrayBuffer> {
  const of = (row: number, index: number): number => factor[row * dimensions + index] as number;
  const solution = Float64Array.from(sums);
  for (let row = 0; row < dimensions; row++) {
    for (let before = 0; before < row; before++)
      solution[row] = (solution[row] as number) - of(row, before) * (solution[before] as number);
    solution[row] = (solution[row] as number) / of(row, row);
  }
  for (let row = dimensions - 1; row >= 0; row--) {
    for (let after = row + 1; after < dimensions; after++)
      solution[row] = (solution[row] as number) - of(after, row) * (solution[after] as number);
    solution[row] = (solution[row] as number) / of(row, row);
  }
  return solution;
}
