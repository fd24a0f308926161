import type { RandomStream } from "../../src/foundation/base/index.ts";
import { binomial, frequencies, range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

/** How often the real source says each symbol. */
const real = [0.5, 0.25, 0.1, 0.06, 0.04, 0.03, 0.02];
const draws = 50;
const generations = 30;
/** Share of a generation's draws that come from the real source, in the arm that has some. */
const realShare = 0.2;
const watched = [1, 2, 5, 10, 20, generations];
const [rare, rarest] = [4, 6];

/**
 * The chance that a symbol is among the draws of a generation. One symbol against all others is a Markov chain on its count: from
 * count c it is binomial with c/M, mixed with its real share (Wright and Fisher's, with immigration); the first draws are real.
 */
function alive(start: number, mixed: number): number[] {
  let counts = binomial(draws, start);
  const moves = range(0, draws).map((count) =>
    binomial(draws, (1 - mixed) * (count / draws) + mixed * start),
  );
  return range(1, generations).map((generation) => {
    if (generation > 1)
      counts = counts.map((_, after) =>
        counts.reduce((sum, chance, before) => sum + chance * (moves[before]?.[after] as number), 0),
      );
    return 1 - (counts[0] as number);
  });
}

const squares = real.reduce((sum, share) => sum + share ** 2, 0);

/**
 * The chance that two answers differ, 1 − Σp². Draws from m give E Σp̂² = 1/M + (1 − 1/M)·Σm². Alone: (1 − 1/M)^t·(1 − Σp²). With a
 * share ρ of real draws m = (1 − ρ)p̂ + ρp, and E p̂ = p, so E Σm² = (1 − ρ)²·E Σp̂² + (1 − (1 − ρ)²)·Σp².
 */
function differing(mixed: number): number[] {
  let same = squares;
  return range(1, generations).map(() => {
    const keptPart = (1 - mixed) ** 2;
    const drawn = keptPart * same + (1 - keptPart) * squares;
    same = 1 / draws + (1 - 1 / draws) * drawn;
    return 1 - same;
  });
}

const arms = [
  { name: "own data only", mixed: 0, colour: 0 },
  { name: "a fifth of the data real", mixed: realShare, colour: 1 },
].map((arm) => ({
  ...arm,
  differing: differing(arm.mixed),
  rare: alive(real[rare] as number, arm.mixed),
  rarest: alive(real[rarest] as number, arm.mixed),
}));
const at = (values: readonly number[], generation: number): number => values[generation - 1] as number;
const share = (symbol: number): string => `${100 * (real[symbol] as number)} %`;

/** arXiv 2305.17493, section 4.1: a distribution over symbols is replaced by the frequencies among its own draws, again and again. */
export const tails: Theory = {
  name: "tails",
  title: "Rare symbols under refitting",
  source: "arXiv 2305.17493",
  size: { groups: 100, chains: 40 },
  covers: "own data only: differ 10",
  quantities: arms.flatMap((arm) =>
    watched.flatMap((t): Quantity[] => [
      {
        key: `${arm.name}: rare ${t}`,
        what: `${arm.name}: a symbol of ${share(rare)} is there after ${t}`,
        kind: "share",
        predicted: at(arm.rare, t),
        tolerance: 0.02,
        told: t === 1 ? arm.mixed === 0 : t === 20,
      },
      {
        key: `${arm.name}: rarest ${t}`,
        what: `${arm.name}: a symbol of ${share(rarest)} is there after ${t}`,
        kind: "share",
        predicted: at(arm.rarest, t),
        tolerance: 0.02,
      },
      {
        key: `${arm.name}: differ ${t}`,
        what: `${arm.name}: two answers differ after ${t}`,
        kind: "mean",
        predicted: at(arm.differing, t),
        tolerance: 0.009,
        told: t === generations,
      },
    ]),
  ),
  wrong: [
    {
      what: "survival as if each generation drew from real data anew",
      key: "own data only: rare 20",
      predicted: (1 - (1 - (real[rare] as number)) ** draws) ** 20,
    },
    {
      what: "diversity that falls by 1/(2M), as with two sets of genes",
      key: `own data only: differ ${generations}`,
      predicted: (1 - 1 / (2 * draws)) ** generations * (1 - squares),
    },
    {
      what: "real data makes no difference",
      key: `a fifth of the data real: differ ${generations}`,
      predicted: at(differing(0), generations),
    },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => ({
    title: "The tail goes first; a share of real data keeps it",
    subtitle: `frequencies of ${draws} draws become the next distribution over ${real.length} symbols`,
    panels: [
      {
        x: { label: "generation", whole: true },
        y: { label: `chance that a ${share(rare)} symbol is there`, from: 0, to: 1 },
        series: [
          ...arms.flatMap((arm) => [
            curveOf(arm.name, arm.colour, range(1, generations), (t) => at(arm.rare, t)),
            dotsOf(
              arm.name,
              arm.colour,
              watched.map((x) => ({ x, row: found(`${arm.name}: rare ${x}`) })),
            ),
          ]),
          curveOf(
            "wrong: as if each generation drew from real data anew",
            grey,
            range(1, generations),
            (t) => (1 - (1 - (real[rare] as number)) ** draws) ** t,
            "dashes",
          ),
        ],
      },
      {
        x: { label: "generation", whole: true },
        y: { label: "chance that two answers differ", from: 0 },
        series: [
          ...arms.flatMap((arm) => [
            curveOf(arm.name, arm.colour, range(1, generations), (t) => at(arm.differing, t)),
            dotsOf(
              arm.name,
              arm.colour,
              watched.map((x) => ({ x, row: found(`${arm.name}: differ ${x}`) })),
            ),
          ]),
          curveOf(
            "wrong: (1 − 1/(2M))^t",
            grey,
            range(1, generations),
            (t) => (1 - 1 / (2 * draws)) ** t * (1 - squares),
            "dashes",
          ),
        ],
      },
    ],
  }),
};

function chain(stream: RandomStream): number[] {
  return arms.flatMap(({ mixed }) => {
    let shares = frequencies(stream, real, draws);
    const seen: number[] = [];
    for (let generation = 1; generation <= generations; generation++) {
      if (generation > 1)
        shares = frequencies(
          stream,
          shares.map((one, symbol) => (1 - mixed) * one + mixed * (real[symbol] as number)),
          draws,
        );
      if (!watched.includes(generation)) continue;
      const differ = 1 - shares.reduce((sum, one) => sum + one ** 2, 0);
      seen.push(Number((shares[rare] as number) > 0), Number((shares[rarest] as number) > 0), differ);
    }
    return seen;
  });
}
