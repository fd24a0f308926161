import type { RandomStream } from "../../src/foundation/base/index.ts";
import { range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

const sizes = [2, 4, 8, 16, 64];
/** Answers of a chain. */
const answers = 500;

/** With rewards that never tie, the quantile u of the best has density n·u^(n−1), and KL = E log(n·u^(n−1)) = log n − (n − 1)/n. */
const continuous = (n: number): number => Math.log(n) - (n - 1) / n;

/** Four answers, worst first. The best of n is answer i with F_i^n − F_{i−1}^n. */
const base = [0.4, 0.3, 0.2, 0.1];
const bestOf = (n: number): number[] => {
  let [below, before] = [0, 0];
  return base.map((share) => {
    below += share;
    const chance = below ** n - before ** n;
    before = below;
    return chance;
  });
};
const divergence = (shares: readonly number[]): number =>
  shares.reduce(
    (sum, share, index) => sum + (share > 0 ? share * Math.log(share / (base[index] as number)) : 0),
    0,
  );
const discrete = (n: number): number => divergence(bestOf(n));

/** Rounds of keeping the best two of six. */
const rounds = 4;
/** Quantiles u whose density is followed through the rounds, a chain. */
const descendants = 8;
/** One of the best two of six has the quantile's distribution G(u) = 3u⁵ − 2u⁶: half the first's u⁶ and half the second's 6u⁵ − 5u⁶. */
const keptBelow = (u: number): number => 3 * u ** 5 - 2 * u ** 6;
const keptDensity = (u: number): number => 15 * u ** 4 - 12 * u ** 5;
/** log of the density of what t rounds keep, against the base: round s sees quantiles G_s(u), so it is Σ log g(G_s(u)). */
function logDensity(u: number, round: number): number {
  let [quantile, log] = [u, 0];
  for (let step = 0; step < round; step++) {
    log += Math.log(keptDensity(quantile));
    quantile = keptBelow(quantile);
  }
  return log;
}
/** ∫ g_t·log g_t by Simpson's rule on v with 1 − u = v³, which spreads the crowded end. */
function repeated(round: number): number {
  const steps = 4000;
  let sum = 0;
  for (let step = 1; step < steps; step++) {
    const v = step / steps;
    const log = logDensity(1 - v ** 3, round);
    // Where the density is 0, so is the integrand.
    if (log !== Number.NEGATIVE_INFINITY) sum += (step % 2 === 1 ? 4 : 2) * Math.exp(log) * log * 3 * v ** 2;
  }
  return sum / steps / 3;
}
const spent = range(1, rounds).map(repeated);

/** arXiv 2401.01879, and 2407.09499's curation with two kept of six. */
export const bestOfNKl: Theory = {
  name: "best-of-n-kl",
  title: "The divergence that best-of-n spends",
  source: "arXiv 2401.01879",
  size: { groups: 100, chains: 5 },
  covers: "continuous 8",
  quantities: [
    ...sizes.flatMap((n): Quantity[] => [
      {
        key: `continuous ${n}`,
        what: `rewards without ties: KL of the best of ${n} (nats)`,
        kind: "mean",
        predicted: continuous(n),
        tolerance: 0.01,
        told: n === 8 || n === 64,
      },
      {
        key: `discrete ${n}`,
        what: `four answers: KL of the best of ${n} (nats)`,
        kind: "mean",
        predicted: discrete(n),
        tolerance: 0.01,
        told: n === 8 || n === 64,
      },
      {
        key: `wins ${n}`,
        what: `wins of the best of ${n} against one answer`,
        kind: "mean",
        predicted: n / (n + 1),
        tolerance: 0.006,
        told: n === 8,
      },
    ]),
    {
      key: "bound",
      what: "four answers: KL of the best of 16 is at most log n − (n − 1)/n",
      kind: "mean",
      relation: "at most",
      predicted: continuous(16),
      tolerance: 0,
      told: true,
    },
    ...range(1, rounds).map(
      (round): Quantity => ({
        key: `rounds ${round}`,
        what: `two of six kept, ${round} round${round === 1 ? "" : "s"}: KL from the base (nats)`,
        kind: "mean",
        predicted: spent[round - 1] as number,
        tolerance: 0.05,
        told: true,
      }),
    ),
  ],
  wrong: [
    {
      what: "the bound taken for the value, with four answers",
      key: "discrete 16",
      predicted: continuous(16),
    },
    { what: "log n without (n − 1)/n", key: "continuous 8", predicted: Math.log(8) },
    {
      what: "the first round's divergence, times the rounds",
      key: `rounds ${rounds}`,
      predicted: rounds * (spent[0] as number),
    },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => ({
    title: "Choosing spends divergence, and more each round",
    subtitle: `${answers} answers a chain; four answers of ${base.map((share) => `${100 * share} %`).join(", ")}, worst first`,
    panels: [
      {
        x: { label: "n", log: true },
        y: { label: "KL of the best of n from the base (nats)", from: 0 },
        series: [
          curveOf("rewards without ties: log n − (n − 1)/n", 0, fine, continuous),
          dotsOf(
            "rewards without ties: log n − (n − 1)/n",
            0,
            sizes.map((x) => ({ x, row: found(`continuous ${x}`) })),
          ),
          curveOf("four answers: exact", 1, fine, discrete),
          dotsOf(
            "four answers: exact",
            1,
            sizes.map((x) => ({ x, row: found(`discrete ${x}`) })),
          ),
          curveOf("wrong: log n", grey, fine, Math.log, "dashes"),
        ],
      },
      {
        x: { label: "rounds", whole: true, from: 0 },
        y: { label: "KL from the base (nats)", from: 0 },
        series: [
          curveOf("two of six kept in each round", 2, range(0, rounds), (round) => spent[round - 1] ?? 0),
          dotsOf(
            "two of six kept in each round",
            2,
            range(1, rounds).map((x) => ({ x, row: found(`rounds ${x}`) })),
          ),
          curveOf(
            "wrong: rounds times the first",
            grey,
            [0, rounds],
            (round) => round * (spent[0] as number),
            "dashes",
          ),
        ],
      },
    ],
  }),
};

const fine = range(10, 60).map((step) => 2 ** (step / 10));

function chain(stream: RandomStream): number[] {
  return [...chosen(stream), ...kept(stream)];
}

function chosen(stream: RandomStream): number[] {
  const seen = sizes.flatMap((n) => {
    let [logs, wins] = [0, 0];
    const counts = base.map(() => 0);
    for (let answer = 0; answer < answers; answer++) {
      const best = bestQuantile(stream, n);
      logs += Math.log(n) + (n - 1) * Math.log(best);
      if (best > stream.uniform()) wins += 1;
      const index = answerAt(bestQuantile(stream, n));
      counts[index] = (counts[index] as number) + 1;
    }
    return [logs / answers, plugIn(counts), wins / answers];
  });
  return [...seen, seen[3 * sizes.indexOf(16) + 1] as number];
}

function bestQuantile(stream: RandomStream, n: number): number {
  let best = 0;
  for (let sample = 0; sample < n; sample++) best = Math.max(best, stream.uniform());
  return best;
}

/** The answer that a quantile of reward belongs to. */
function answerAt(quantile: number): number {
  let below = 0;
  const index = base.findIndex((share) => {
    below += share;
    return quantile < below;
  });
  return index === -1 ? base.length - 1 : index;
}

/** KL of frequencies from the base, less what chance adds: (answers that were seen − 1)/2N (Miller, 1955). */
function plugIn(counts: readonly number[]): number {
  const seen = counts.filter((count) => count > 0).length;
  return divergence(counts.map((count) => count / answers)) - (seen - 1) / (2 * answers);
}

/** Mean log density of what each round keeps, over quantiles whose whole tree of ancestors was drawn. */
function kept(stream: RandomStream): number[] {
  const draw = (round: number): number => {
    if (round === 0) return stream.uniform();
    let [first, second] = [0, 0];
    for (let sample = 0; sample < 6; sample++) {
      const u = draw(round - 1);
      if (u > first) [first, second] = [u, first];
      else if (u > second) second = u;
    }
    return stream.uniform() < 0.5 ? first : second;
  };
  return range(1, rounds).map(
    (round) => range(1, descendants).reduce((sum) => sum + logDensity(draw(round), round), 0) / descendants,
  );
}
