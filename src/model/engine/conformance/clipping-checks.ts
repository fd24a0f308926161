import type { Datum, EngineModel, Loss } from "../../../foundation/contract/index.ts";
import { derivativesOf } from "../reference-loss.ts";
import { assertAsWeights, weightsOf } from "./as-weights.ts";
import { assert, assertClose, assertFar, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy, isRough } from "./bench.ts";
import { anyOf, type CheckDefinition, type Excuse } from "./check.ts";
import { nameOf, type PolicyData, policyData } from "./policy-data.ts";

const clipping = ["ppo", "cispo", "gspo"] as const;

const clipsNothing: Excuse = ({ losses }) =>
  clipping.some((name) => losses.includes(name)) ? undefined : "it has no loss that clips";

/** Where a logprob may be off by so much that an edge cannot be found. */
const rough: Excuse = (capabilities, { precision = "fp32" }) =>
  isRough(capabilities, precision) ? `its logprobs in ${precision} are too rough for an edge` : undefined;

const sides = ["low", "high"] as const;

export const clippingChecks: readonly CheckDefinition[] = [
  {
    name: "clipping begins exactly at its edges",
    excuse: anyOf(clipsNothing, rough),
    check: async (bench) => {
      const model = await bench.model();
      const place = await onePlace(bench, model);
      const kept = 8 * bench.logprobCloseness.each;
      for (const name of clipping.filter((one) => bench.capabilities.losses.includes(one)))
        for (const bounds of [{}, { clipLow: 0.7, clipHigh: 1.6 }]) {
          const loss: Loss = { name, ...bounds };
          const edges = edgesOf(loss);
          for (const side of sides)
            for (const advantage of [1, -1])
              for (const away of [1 - kept, 1 + kept]) {
                const ratio = edges[side] * away;
                if (ratio === 0) continue;
                const what = `the gradient of ${nameOf(loss)} at ratio ${ratio}, advantage ${advantage},`;
                await assertWeight(bench, model, { ...place, ratio, advantage }, loss, what);
              }
        }
    },
  },
  {
    name: "bounds of a position take the place of the loss's",
    excuse: clipsNothing,
    check: async (bench) => {
      const model = await bench.model();
      const given = await policyData(bench, model, [0, 1, 2, 3, 4, 5]);
      // Wide and narrow by turns: bounds of one place, or of all, would be others.
      const data = given.data.map((datum) => ({
        ...datum,
        ...boundsOf(datum, bench),
      }));
      for (const name of clipping.filter((one) => bench.capabilities.losses.includes(one))) {
        const loss: Loss = { name, ...boundsOfAll(bench) };
        if (bench.derivedTolerance() < 0.01) {
          const plain = await model.forward(given.data, { loss, logprobs: "none" });
          const own = await model.forward(data, { loss, logprobs: "none" });
          const within = bench.trainedCloseness;
          assertMoved(`the loss ${name} with bounds`, [own.lossSum], [plain.lossSum], within);
        }
        const [plain, own] = [given.data, data].map((one) => derivatives({ ...given, data: one }, loss)) as [
          number[],
          number[],
        ];
        const changed = Math.hypot(...plain.map((value, at) => value - (own[at] as number)));
        const needed = 3 * bench.derivedTolerance();
        assertFar(`the gradient of ${name}, by bounds,`, changed / Math.hypot(...plain), needed);
        await assertAsWeights(bench, model, { ...given, data }, loss, `${name} with bounds of each position`);
      }
    },
  },
];

const derivatives = (given: PolicyData, loss: Loss): number[] =>
  weightsOf(given, loss, 1).flatMap(({ weights = new Float32Array() }) => Array.from(weights));

interface Bounds {
  readonly clipLow: number;
  readonly clipHigh: number;
}

/** What is ignored. Where ratios are farther apart bounds keep as far from them. */
const boundsOfAll = ({ rough }: Bench): Bounds =>
  rough ? { clipLow: 0.2, clipHigh: 0.42 } : { clipLow: 0.97, clipHigh: 1.03 };
const narrowOf = ({ rough }: Bench): Bounds =>
  rough ? { clipLow: 0.75, clipHigh: 1.34 } : { clipLow: 0.97, clipHigh: 1.03 };
const wideOf = ({ rough }: Bench): Bounds =>
  rough ? { clipLow: 0.42, clipHigh: 4.26 } : { clipLow: 0.3, clipHigh: 2.7 };

function boundsOf({ tokens }: Datum, bench: Bench): Pick<Datum, "clipLow" | "clipHigh"> {
  const [narrow, wide] = [narrowOf(bench), wideOf(bench)];
  const by = (name: "clipLow" | "clipHigh") =>
    Float32Array.from(tokens, (_, place) => (place % 2 === 0 ? narrow : wide)[name]);
  return { clipLow: by("clipLow"), clipHigh: by("clipHigh") };
}

interface OnePlace {
  readonly datum: Datum;
  readonly at: number;
  readonly logprob: number;
  /** Of the gradient of cross_entropy of weight 1 there. */
  readonly norm: number;
}

/** A single position that counts, so that its ratio is the sequence's too. */
async function onePlace(bench: Bench, model: EngineModel): Promise<OnePlace> {
  const [plain] = bench.weighted([2]) as [Datum];
  const at = 1;
  const alone = new Float32Array(plain.tokens.length).fill(1, at, at + 1);
  const datum = { tokens: plain.tokens, targets: plain.targets };
  const { logprobs } = await model.forwardBackward([{ ...datum, weights: alone }], {
    loss: crossEntropy,
    logprobs: "all",
  });
  const norm = await bench.gradientNorm(model);
  assert(norm > 0, "there is no gradient");
  return { datum: { ...datum, mask: alone }, at, logprob: logprobs[0]?.[at] as number, norm };
}

/** The norm of the loss's gradient is that of its derivative as a weight. */
async function assertWeight(
  bench: Bench,
  model: EngineModel,
  {
    datum,
    at,
    logprob,
    norm,
    ratio,
    advantage,
  }: OnePlace & { readonly ratio: number; readonly advantage: number },
  loss: Loss,
  what: string,
): Promise<void> {
  const filled = (value: number) => new Float32Array(datum.tokens.length).fill(value);
  const given = {
    ...datum,
    advantages: filled(advantage),
    logprobs: filled(logprob - Math.log(ratio)),
  };
  await model.forwardBackward([given], { loss, logprobs: "none" });
  const found = (await bench.gradientNorm(model)) / norm;
  const expected = derivativesOf(loss, given, new Float64Array(datum.tokens.length).fill(logprob))[at];
  assertClose(bench, what, found, Math.abs(expected as number), bench.derivedTolerance());
}

function edgesOf(loss: Loss): Readonly<Record<(typeof sides)[number], number>> {
  const [low, high] = loss.name === "cispo" ? [0, 4] : [0.8, 1.2];
  const { clipLow = low, clipHigh = high } = loss as Extract<Loss, { readonly name: "ppo" }>;
  return { low: clipLow, high: clipHigh };
}
