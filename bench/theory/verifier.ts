import type { RandomStream } from "../../src/foundation/base/index.ts";
import type { RoundEvidence } from "../../src/foundation/contract/index.ts";
import { exactInterval, type Interval } from "../../src/foundation/statistics/index.ts";
import { labelAccuracy } from "../../src/lifecycle/guard/index.ts";
import { binomial, range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

/** φ: share of right answers that it keeps; ψ: of wrong ones. */
interface Verifier {
  readonly name: string;
  readonly phi: number;
  readonly psi: number;
}

const verifiers: readonly Verifier[] = [
  { name: "good", phi: 0.9, psi: 0.3 },
  { name: "a coin", phi: 0.5, psi: 0.5 },
  { name: "inverted", phi: 0.2, psi: 0.8 },
];
const good = verifiers[0] as Verifier;
/** p* = φ/(φ+ψ). */
const breakdown = ({ phi, psi }: Verifier): number => phi / (phi + psi);
const wrongShares = range(1, 9).map((tenths) => tenths / 10);

/** Of what is kept, the share that is right: (1 − p)φ/((1 − p)φ + pψ). It is above ½ where p < p*. */
const keptRight = (wrong: number, { phi, psi }: Verifier): number =>
  ((1 - wrong) * phi) / ((1 - wrong) * phi + wrong * psi);

/** Labels of one question. A model that imitates gives the more frequent of the two; odd, so that there is one. */
const labels = 15;
const majorityRight = (share: number): number =>
  binomial(labels, share)
    .slice((labels + 1) / 2)
    .reduce((sum, chance) => sum + chance, 0);

/** Kept labels that the guard is shown, and how far from p* the share of wrong answers is then. */
const shown = 200;
const distances = [-0.1, 0, 0.1];
const guard = labelAccuracy();
const stops = range(0, shown).map((right) => {
  const training = { keptJudged: shown, keptRight: right };
  return guard.watch({ learnsBy: "imitation", training } as RoundEvidence).answer === "stop";
});
const stopChance = (wrong: number): number =>
  binomial(shown, keptRight(wrong, good)).reduce(
    (sum, chance, right) => sum + (stops[right] ? chance : 0),
    0,
  );

/** Answers of known truth, half of them right, with which a verifier is tried. */
const planted = 300;
const intervals: (Interval | undefined)[] = [];

const nameOf = (wrong: number): string => `${(100 * wrong).toFixed(0)} %`;

/** arXiv 2406.07515, section 4: learning from what a verifier kept of one's own answers, with labels that are right or wrong. */
export const verifier: Theory = {
  name: "verifier",
  title: "The breakdown point of an imperfect verifier",
  source: "arXiv 2406.07515",
  size: { groups: 100, chains: 40 },
  covers: "good 0.7",
  quantities: [
    ...verifiers.flatMap((one) =>
      wrongShares.map(
        (wrong): Quantity => ({
          key: `${one.name} ${wrong}`,
          what: `${one.name} verifier (p* = ${breakdown(one).toFixed(2)}): learnt right at ${nameOf(wrong)} wrong`,
          kind: "share",
          predicted: majorityRight(keptRight(wrong, one)),
          tolerance: 0.02,
          told: one === good ? [0.7, 0.8].includes(wrong) : Math.abs(wrong - breakdown(one)) < 0.01,
        }),
      ),
    ),
    {
      key: "kept",
      what: "good verifier: kept labels that are right at 80 % wrong",
      kind: "mean",
      predicted: keptRight(0.8, good),
      tolerance: 0.006,
      told: true,
    },
    ...distances.map(
      (distance): Quantity => ({
        key: `guard ${distance}`,
        what: `the label guard stops at p*${distance === 0 ? "" : ` ${distance < 0 ? "−" : "+"} ${Math.abs(distance)}`}`,
        kind: "share",
        predicted: stopChance(breakdown(good) + distance),
        tolerance: 0.02,
        told: true,
      }),
    ),
    {
      key: "planted",
      what: `p* lies in its interval from ${planted} planted answers`,
      kind: "share",
      relation: "at least",
      // Two exact intervals of .95 hold at once.
      predicted: 0.95 ** 2,
      tolerance: 0,
      told: true,
    },
  ],
  wrong: [
    {
      what: "the breakdown is at ½, whatever verifies",
      key: "good 0.6",
      predicted: majorityRight(1 - 0.6),
    },
    {
      what: "ψ alone says what is kept: right labels are 1 − pψ",
      key: "kept",
      predicted: 1 - 0.8 * good.psi,
    },
    {
      what: "inverted, and as good as its mirror",
      key: "inverted 0.5",
      predicted: majorityRight(keptRight(0.5, { name: "mirror", phi: 0.8, psi: 0.2 })),
    },
  ],
  simulate: (stream, chains) => Array.from({ length: chains }, () => chain(stream)),
  picture: (found) => ({
    title: "Filtered answers teach, until more wrong than right ones are kept",
    subtitle: `the more frequent of ${labels} kept labels is learnt; p* = φ/(φ + ψ)`,
    panels: [
      {
        x: { label: "share of wrong answers before the filter, p", from: 0, to: 1 },
        y: { label: "questions learnt right", from: 0, to: 1 },
        series: [
          ...verifiers.flatMap((one, colour) => {
            const name = `${one.name}: φ = ${one.phi}, ψ = ${one.psi}, p* = ${breakdown(one).toFixed(2)}`;
            return [
              curveOf(name, colour, fine, (wrong) => majorityRight(keptRight(wrong, one))),
              dotsOf(
                name,
                colour,
                wrongShares.map((x) => ({ x, row: found(`${one.name} ${x}`) })),
              ),
            ];
          }),
          curveOf("one half: learnt by chance", grey, [0, 1], () => 0.5, "dots-and-dashes"),
        ],
      },
      {
        x: { label: "share of wrong answers before the filter, p", from: 0.6, to: 0.9 },
        y: { label: "chance that the label guard stops", from: 0, to: 1 },
        series: [
          curveOf(
            `good verifier, ${shown} kept labels judged`,
            0,
            fine.filter((wrong) => wrong >= 0.6 && wrong <= 0.9),
            stopChance,
          ),
          dotsOf(
            `good verifier, ${shown} kept labels judged`,
            0,
            distances.map((distance) => ({
              x: breakdown(good) + distance,
              row: found(`guard ${distance}`),
            })),
          ),
          {
            name: "p*",
            kind: "dots-and-dashes",
            colour: grey,
            points: [0, 1].map((y) => ({ x: breakdown(good), y })),
          },
        ],
      },
    ],
  }),
};

const fine = range(1, 199).map((step) => step / 200);

function chain(stream: RandomStream): number[] {
  const happens = (share: number): boolean => stream.uniform() < share;
  /** How many of so many kept answers are right, as the filter goes through one answer after the other. */
  const keepRight = (wrong: number, { phi, psi }: Verifier, count: number): number => {
    let [kept, right] = [0, 0];
    while (kept < count) {
      const isWrong = happens(wrong);
      if (!happens(isWrong ? psi : phi)) continue;
      kept += 1;
      if (!isWrong) right += 1;
    }
    return right;
  };
  const counts = verifiers.map((one) => wrongShares.map((wrong) => keepRight(wrong, one, labels)));
  const guarded = distances.map((distance) => stops[keepRight(breakdown(good) + distance, good, shown)]);
  return [
    ...counts.flat().map((right) => Number(right > labels / 2)),
    (counts[0]?.[wrongShares.indexOf(0.8)] as number) / labels,
    ...guarded.map(Number),
    Number(plantedHolds(happens)),
  ];
}

/** Whether p* lies between what the exact intervals of φ and ψ leave of it. */
function plantedHolds(happens: (share: number) => boolean): boolean {
  const intervalOf = (share: number): Interval => {
    const kept = range(1, planted / 2).filter(() => happens(share)).length;
    intervals[kept] ??= exactInterval(kept, planted / 2);
    return intervals[kept] as Interval;
  };
  const [phi, psi] = [intervalOf(good.phi), intervalOf(good.psi)];
  const least = phi.low / (phi.low + psi.high);
  const most = phi.high / (phi.high + psi.low);
  return least <= breakdown(good) && breakdown(good) <= most;
}
