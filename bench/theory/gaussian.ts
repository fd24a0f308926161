import type { RandomStream } from "../../src/foundation/base/index.ts";
import { normals, range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

/** Samples a generation. */
const samples = 12;
const generations = 30;
/** Later means of the variance hang on a few chains among thousands: its logarithm is what can be measured there. */
const meansUntil = 6;

/** σ²_t = σ²_{t−1}·χ²_{n−1}/n with the likeliest variance, whose mean is 1 − 1/n. */
const replacedVariance = (generation: number): number => (1 - 1 / samples) ** generation;
/** E log(χ²_k/n) = ψ(k/2) + log(2/n). */
const replacedLog = (generation: number): number =>
  generation * (digammaOfHalf(samples - 1) + Math.log(2 / samples));
/**
 * With all data kept, E σ²_t = E σ²_{t−1}·(1 − 1/(n·t²)): the new sum of squares is the old one, n − 1 within the new samples, and
 * (t−1)/t for the distance of their mean. The product tends to sin(π/√n)/(π/√n), Euler's product of the sine.
 */
const accumulatedVariance = (generation: number): number =>
  range(1, generation).reduce((product, index) => product * (1 - 1 / (samples * index ** 2)), 1);
const limit = Math.sin(Math.PI / Math.sqrt(samples)) / (Math.PI / Math.sqrt(samples));

const drifts = [2, 4, 6];
const logs = [5, 10, 15, 20, 25, generations];
const kept = [1, 2, 5, 10, 20, generations];

/** arXiv 2410.16713: a normal distribution fitted to samples of its own last fit, or to all samples so far. */
export const gaussian: Theory = {
  name: "gaussian",
  title: "A normal distribution fitted to its own samples",
  source: "arXiv 2410.16713",
  size: { groups: 100, chains: 100 },
  covers: `replace log ${generations}`,
  quantities: [
    ...range(1, meansUntil).map(
      (t): Quantity => ({
        key: `replace ${t}`,
        what: `replace: mean variance after ${t} generations`,
        kind: "mean",
        predicted: replacedVariance(t),
        tolerance: 0.03,
        told: t === meansUntil,
      }),
    ),
    ...logs.map(
      (t): Quantity => ({
        key: `replace log ${t}`,
        what: `replace: mean log variance after ${t} generations`,
        kind: "mean",
        predicted: replacedLog(t),
        tolerance: 0.016 * Math.sqrt(t),
        told: t === generations,
      }),
    ),
    ...drifts.map(
      (t): Quantity => ({
        key: `replace drift ${t}`,
        what: `replace: squared drift of the mean after ${t} generations`,
        kind: "mean",
        // What the variance loses, the mean wanders.
        predicted: 1 - replacedVariance(t),
        tolerance: 0.025,
        told: t === drifts.at(-1),
      }),
    ),
    ...kept.flatMap((t): Quantity[] => [
      {
        key: `accumulate ${t}`,
        what: `accumulate: mean variance after ${t} generations`,
        kind: "mean",
        predicted: accumulatedVariance(t),
        tolerance: 0.015,
        told: t === generations,
      },
      {
        key: `accumulate drift ${t}`,
        what: `accumulate: squared drift of the mean after ${t} generations`,
        kind: "mean",
        predicted: 1 - accumulatedVariance(t),
        tolerance: 0.008,
        told: t === generations,
      },
    ]),
    {
      key: "limit",
      what: "accumulate: mean variance stays above its limit",
      kind: "mean",
      relation: "at least",
      predicted: limit,
      tolerance: 0.015,
      told: true,
    },
  ],
  wrong: [
    { what: "replace keeps its variance on average", key: `replace ${meansUntil}`, predicted: 1 },
    {
      what: "accumulate loses its variance as replace does",
      key: `accumulate ${generations}`,
      predicted: replacedVariance(generations),
    },
    {
      what: "the log of the mean in place of the mean log",
      key: `replace log ${generations}`,
      predicted: Math.log(replacedVariance(generations)),
    },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => ({
    title: "Replace, and the spread dies out; accumulate, and it settles",
    subtitle: `the likeliest normal distribution, ${samples} samples a generation, variance 1 at first`,
    panels: [
      {
        x: { label: "generation", from: 0, whole: true },
        y: { label: "variance (1 = real data)", log: true },
        series: [
          curveOf("replace: typical variance, exp E log σ²", 0, range(0, generations), (t) =>
            Math.exp(replacedLog(t)),
          ),
          dotsOf(
            "replace: typical variance, exp E log σ²",
            0,
            logs.map((x) => ({ x, row: exponential(found(`replace log ${x}`)) })),
          ),
          curveOf("accumulate: mean variance", 1, range(0, generations), accumulatedVariance),
          dotsOf(
            "accumulate: mean variance",
            1,
            kept.map((x) => ({ x, row: found(`accumulate ${x}`) })),
          ),
          curveOf(
            "accumulate: its limit, sin(π/√n)/(π/√n)",
            2,
            [0, generations],
            () => limit,
            "dots-and-dashes",
          ),
        ],
      },
      {
        x: { label: "generation", from: 0, whole: true },
        y: { label: "squared drift of the mean (in variances)", from: 0 },
        series: [
          curveOf("replace", 0, range(0, generations), (t) => 1 - replacedVariance(t)),
          dotsOf(
            "replace",
            0,
            drifts.map((x) => ({ x, row: found(`replace drift ${x}`) })),
          ),
          curveOf("accumulate", 1, range(0, generations), (t) => 1 - accumulatedVariance(t)),
          dotsOf(
            "accumulate",
            1,
            kept.map((x) => ({ x, row: found(`accumulate drift ${x}`) })),
          ),
          curveOf("wrong: no drift, as the variance stays", grey, [0, generations], () => 0, "dashes"),
        ],
      },
    ],
  }),
};

/** ψ(k/2), upwards from ψ(1/2) = −γ − 2·log 2 and ψ(1) = −γ by ψ(x + 1) = ψ(x) + 1/x. */
function digammaOfHalf(twice: number): number {
  const euler = 0.5772156649015329;
  const even = twice % 2 === 0;
  let value = even ? -euler : -euler - 2 * Math.log(2);
  for (let x = even ? 1 : 0.5; x < twice / 2; x++) value += 1 / x;
  return value;
}

function exponential<R extends ReturnType<Parameters<Theory["picture"]>[0]>>(row: R): R {
  const { low, high } = row.interval;
  return { ...row, measured: Math.exp(row.measured), interval: { low: Math.exp(low), high: Math.exp(high) } };
}

function chain(stream: RandomStream): number[] {
  const normal = normals(stream);
  const replaced = fits(normal, false);
  const accumulated = fits(normal, true);
  const of = (fitted: readonly Fit[], t: number): Fit => fitted[t - 1] as Fit;
  return [
    ...range(1, meansUntil).map((t) => of(replaced, t).variance),
    ...logs.map((t) => Math.log(of(replaced, t).variance)),
    ...drifts.map((t) => of(replaced, t).mean ** 2),
    ...kept.flatMap((t) => [of(accumulated, t).variance, of(accumulated, t).mean ** 2]),
    of(accumulated, generations).variance,
  ];
}

interface Fit {
  readonly mean: number;
  readonly variance: number;
}

/** The fit of every generation, which drew its samples from the fit before; the first from N(0, 1). */
function fits(normal: () => number, keeps: boolean): Fit[] {
  const fitted: Fit[] = [];
  let fit: Fit = { mean: 0, variance: 1 };
  let [count, sum, squares] = [0, 0, 0];
  for (let generation = 1; generation <= generations; generation++) {
    if (!keeps) [count, sum, squares] = [0, 0, 0];
    const deviation = Math.sqrt(fit.variance);
    // From its own mean on, or the squares of a narrow distribution far away would cancel.
    const origin = keeps ? 0 : fit.mean;
    for (let sample = 0; sample < samples; sample++) {
      const value = (keeps ? fit.mean : 0) + deviation * normal();
      sum += value;
      squares += value * value;
    }
    count += samples;
    const mean = sum / count;
    fit = { mean: origin + mean, variance: squares / count - mean * mean };
    fitted.push(fit);
  }
  return fitted;
}
