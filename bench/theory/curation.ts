import type { RandomStream } from "../../src/foundation/base/index.ts";
import { category, frequencies, range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

/** Four answers; the last two are liked equally, and most. */
const start = [0.6, 0.25, 0.1, 0.05];
const liking = [0, 1, 2, 2].map((reward) => Math.exp(reward));
const most = Math.max(...liking);
const best = liking.flatMap((like, index) => (like === most ? [index] : []));
const generations = 6;
/** Answers that a generation keeps. They stand for infinitely many: that chance alone takes up to .01 nats of entropy is in the tolerance. */
const population = 1000;

/**
 * The law of what is kept: of K draws one, chosen by e^r: p_{t+1}(x) = p_t(x)·E[K·e^r(x)/(e^r(x) + Σ e^r(X_i))] over K − 1 others
 * Summed over the ordered others, which are few.
 */
function curated(shares: readonly number[], choices: number): number[] {
  let others = [{ chance: 1, liked: 0 }];
  for (let other = 1; other < choices; other++)
    others = others.flatMap(({ chance, liked }) =>
      shares.map((share, index) => ({ chance: chance * share, liked: liked + (liking[index] as number) })),
    );
  return shares.map((share, index) => {
    const own = liking[index] as number;
    return (
      share * others.reduce((sum, { chance, liked }) => sum + (chance * choices * own) / (own + liked), 0)
    );
  });
}

/** The limit of many choices, the replicator equation: p·e^r, normalised; after t generations p·e^{t·r}, which is RLHF with β = 1/t. */
function replicated(shares: readonly number[]): number[] {
  const weighed = shares.map((share, index) => share * (liking[index] as number));
  const total = weighed.reduce((sum, weight) => sum + weight, 0);
  return weighed.map((weight) => weight / total);
}

interface Arm {
  readonly name: string;
  readonly choices: number;
  /** Share of a generation that is drawn from the start again: real data. */
  readonly real: number;
  readonly colour: number;
}

const arms: readonly Arm[] = [
  { name: "best liked of 2", choices: 2, real: 0, colour: 0 },
  { name: "best liked of 4", choices: 4, real: 0, colour: 1 },
  { name: "best liked of 4, half real data", choices: 4, real: 0.5, colour: 2 },
];
const path = (step: (shares: readonly number[]) => number[]): number[][] => {
  const shares = [start];
  for (let generation = 1; generation <= generations; generation++)
    shares.push(step(shares.at(-1) as number[]));
  return shares;
};
const mixed = (shares: readonly number[], real: number): number[] =>
  shares.map((share, index) => (1 - real) * share + real * (start[index] as number));
const paths = new Map(
  arms.map((arm) => [arm.name, path((shares) => mixed(curated(shares, arm.choices), arm.real))]),
);
const law = (arm: string, generation: number): number[] => paths.get(arm)?.[generation] as number[];
const limitPath = path(replicated);

const bestShare = (shares: readonly number[]): number =>
  best.reduce((sum, index) => sum + (shares[index] as number), 0);
const meanLiking = (shares: readonly number[]): number =>
  shares.reduce((sum, share, index) => sum + share * (liking[index] as number), 0);
const entropy = (shares: readonly number[]): number =>
  shares.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);

const [pairs, fours, grounded] = arms.map(({ name }) => name) as [string, string, string];
const variance = start.reduce(
  (sum, share, index) => sum + share * ((liking[index] as number) - meanLiking(start)) ** 2,
  0,
);
/** Of the start alone: ((K − 1)/K)·Var e^r/e^{r*} with K = 2. */
const leastGain = (variance / most) * (1 / 2);

/** arXiv 2407.09499: a model is trained on those of its own answers that were chosen, again and again. */
export const curation: Theory = {
  name: "curation",
  title: "Choosing among one's own answers",
  source: "arXiv 2407.09499",
  size: { groups: 100, chains: 4 },
  covers: `${pairs}: best 3`,
  quantities: [
    ...arms.flatMap(({ name }) =>
      range(1, generations).flatMap((t): Quantity[] => [
        {
          key: `${name}: best ${t}`,
          what: `${name}: share of the best after ${t}`,
          kind: "mean",
          predicted: bestShare(law(name, t)),
          tolerance: 0.006,
          told: t === generations || (t === 1 && name === pairs),
        },
        {
          key: `${name}: entropy ${t}`,
          what: `${name}: entropy of answers after ${t} (nats)`,
          kind: "mean",
          predicted: entropy(law(name, t)),
          tolerance: 0.012,
          told: t === generations && name !== pairs,
        },
      ]),
    ),
    {
      key: "gain",
      what: "of 2: gain in mean e^r in one generation, at least ½·Var/e^r*",
      kind: "mean",
      relation: "at least",
      predicted: leastGain,
      tolerance: 0,
      told: true,
    },
    {
      key: "among equals",
      what: "of 4: of the two best, the share of the first stays",
      kind: "mean",
      predicted: (start[best[0] as number] as number) / bestShare(start),
      tolerance: 0.015,
      told: true,
    },
  ],
  wrong: [
    {
      what: "two choices taken for many: the replicator equation",
      key: `${pairs}: best 1`,
      predicted: bestShare(limitPath[1] as number[]),
    },
    {
      what: "the better of two always chosen",
      key: `${pairs}: best 1`,
      predicted: 1 - (1 - bestShare(start)) ** 2,
    },
    {
      what: "real data changes nothing",
      key: `${grounded}: entropy ${generations}`,
      predicted: entropy(law(fours, generations)),
    },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => {
    const drawn = (what: string, of: (shares: readonly number[]) => number) =>
      arms.flatMap(({ name, colour }) => [
        curveOf(name, colour, range(0, generations), (t) => of(law(name, t))),
        dotsOf(
          name,
          colour,
          range(1, generations).map((x) => ({ x, row: found(`${name}: ${what} ${x}`) })),
        ),
      ]);
    const replicator = (of: (shares: readonly number[]) => number) =>
      curveOf(
        "wrong for few choices: the replicator equation",
        grey,
        range(0, generations),
        (t) => of(limitPath[t] as number[]),
        "dashes",
      );
    return {
      title: "What is chosen takes over; only real data keeps the rest",
      subtitle: `four answers of reward 0, 1, 2, 2, chosen by e^r; ${population} kept answers a generation`,
      panels: [
        {
          x: { label: "generation", whole: true, from: 0 },
          y: { label: "share of the best answers", from: 0, to: 1 },
          series: [...drawn("best", bestShare), replicator(bestShare)],
        },
        {
          x: { label: "generation", whole: true, from: 0 },
          y: { label: "entropy of answers (nats)", from: 0 },
          series: [...drawn("entropy", entropy), replicator(entropy)],
        },
      ],
    };
  },
};

function chain(stream: RandomStream): number[] {
  const seen = arms.map(({ choices, real }) => {
    const shares: number[][] = [frequencies(stream, start, population)];
    for (let generation = 1; generation <= generations; generation++)
      shares.push(generate(stream, generation === 1 ? start : (shares.at(-1) as number[]), choices, real));
    return shares;
  });
  const [two, four] = seen as [number[][], number[][], number[][]];
  return [
    ...seen.flatMap((shares) => shares.slice(1).flatMap((one) => [bestShare(one), entropy(one)])),
    meanLiking(two[1] as number[]) - meanLiking(two[0] as number[]),
    (four.at(-1)?.[best[0] as number] as number) / bestShare(four.at(-1) as number[]),
  ];
}

/** Frequencies among the answers that were kept of a generation's own, or are real. */
function generate(stream: RandomStream, shares: readonly number[], choices: number, real: number): number[] {
  const counts = start.map(() => 0);
  const offered = Array.from({ length: choices }, () => 0);
  for (let kept = 0; kept < population; kept++) {
    const answer = stream.uniform() < real ? category(stream, start) : chosen(stream, shares, offered);
    counts[answer] = (counts[answer] as number) + 1;
  }
  return counts.map((count) => count / population);
}

/** Draws as many answers as fit into `offered`, and one of them by e^r. */
function chosen(stream: RandomStream, shares: readonly number[], offered: number[]): number {
  let total = 0;
  for (let index = 0; index < offered.length; index++) {
    const answer = category(stream, shares);
    offered[index] = answer;
    total += liking[answer] as number;
  }
  let left = stream.uniform() * total;
  for (const answer of offered) {
    left -= liking[answer] as number;
    if (left < 0) return answer;
  }
  return offered.at(-1) as number;
}
