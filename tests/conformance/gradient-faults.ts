import type { Datum, Loss } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import type { Planting } from "./faulty-engine.ts";
import { withData, withForwardOptions, without, withResults, withStep } from "./plantings.ts";

type Clipping = Extract<Loss, { readonly name: "ppo" | "cispo" | "gspo" }>;
const clips = (loss: Loss): loss is Clipping => ["ppo", "cispo", "gspo"].includes(loss.name);
const longest = (data: readonly Datum[]): number => Math.max(...data.map(({ tokens }) => tokens.length));
const isHoled = ({ advantages = new Float32Array(), logprobs = new Float32Array() }: Datum): boolean =>
  [...advantages, ...logprobs].some(Number.isNaN);

const withNeighbour = (share: number): Planting =>
  withResults((result) => ({
    ...result,
    logprobs: result.logprobs.map((values, index) =>
      values.map(
        (logprob) => logprob + (index === 0 ? 0 : share * (result.logprobs[index - 1]?.[0] as number)),
      ),
    ),
  }));
const withLastWeight = (weight: number): Planting =>
  withData((data) =>
    data.map((datum) => {
      const { weights } = datum;
      if (weights?.at(-1) !== 0) return datum;
      return { ...datum, weights: weights.map((one, at) => (at === weights.length - 1 ? weight : one)) };
    }),
  );

/** Faults in losses, gradients and the way that data lie in a batch. */
export const gradientFaults: readonly Fault[] = [
  {
    fault: "dro's beta is ignored",
    caughtBy: "a named loss is cross_entropy weighed by its derivatives",
    planting: withForwardOptions(({ loss, ...options }) => ({
      ...options,
      loss: loss.name === "dro" ? { name: "dro" } : loss,
    })),
  },
  {
    fault: "gspo has each position's own ratio",
    caughtBy: "a named loss is cross_entropy weighed by its derivatives",
    planting: withForwardOptions(({ loss, ...options }) => ({
      ...options,
      loss: loss.name === "gspo" ? { ...loss, name: "ppo" } : loss,
    })),
  },
  {
    fault: "cispo leaves out what is clipped",
    caughtBy: "a named loss is cross_entropy weighed by its derivatives",
    planting: withForwardOptions(({ loss, ...options }) => ({
      ...options,
      loss: loss.name === "cispo" ? { clipLow: 0, clipHigh: 4, ...loss, name: "ppo" } : loss,
    })),
  },
  {
    fault: "the learning rate is doubled",
    caughtBy: "a step along the gradient changes the loss as predicted, at two sizes",
    planting: withStep((step) => ({ ...step, learningRate: 2 * step.learningRate })),
  },
  {
    fault: "a step goes up the gradient",
    caughtBy: "a step along the gradient changes the loss as predicted, at two sizes",
    planting: {
      model: (inner) => ({
        forwardBackward: async (data, options) => {
          const { lossSum } = await inner.forward(data, options);
          const negated = data.map((datum) => ({
            ...datum,
            ...(datum.weights === undefined ? {} : { weights: datum.weights.map((one) => -one) }),
            ...(datum.advantages === undefined ? {} : { advantages: datum.advantages.map((one) => -one) }),
          }));
          return { ...(await inner.forwardBackward(negated, options)), lossSum };
        },
      }),
    },
  },
  {
    fault: "steps of policy losses are half as long",
    caughtBy: "a named loss and its derivatives as weights lead to the same policy",
    planting: {
      model: (inner) => {
        let share = 1;
        return {
          forwardBackward: (data, options) => {
            share = options.loss.name === "cross_entropy" ? 1 : 0.5;
            return inner.forwardBackward(data, options);
          },
          optimStep: (step) => inner.optimStep({ ...step, learningRate: share * step.learningRate }),
        };
      },
    },
  },
  {
    fault: "the last position of each datum has no gradient",
    caughtBy: "the gradient of every weight is its finite difference",
    planting: {
      model: (inner) => ({
        forwardBackward: (data, options) =>
          inner.forwardBackward(
            data.map((datum) => ({
              ...datum,
              weights: (datum.weights ?? new Float32Array()).slice().fill(0, -1),
            })),
            options,
          ),
      }),
    },
  },
  {
    fault: "clipping begins a hundredth late",
    caughtBy: "clipping begins exactly at its edges",
    planting: withForwardOptions(({ loss, ...options }) => {
      if (!clips(loss)) return { ...options, loss };
      const { clipHigh = loss.name === "cispo" ? 4 : 1.2 } = loss;
      return { ...options, loss: { ...loss, clipHigh: 1.01 * clipHigh } };
    }),
  },
  {
    fault: "bounds of positions are ignored",
    caughtBy: "bounds of a position take the place of the loss's",
    planting: withData((data) => data.map((datum) => without(without(datum, "clipLow"), "clipHigh"))),
  },
  {
    fault: "bounds of the first position are taken for all",
    caughtBy: "bounds of a position take the place of the loss's",
    planting: withData((data) =>
      data.map((datum) => ({
        ...datum,
        ...(datum.clipLow === undefined
          ? {}
          : { clipLow: datum.clipLow.map(() => datum.clipLow?.[0] as number) }),
        ...(datum.clipHigh === undefined
          ? {}
          : { clipHigh: datum.clipHigh.map(() => datum.clipHigh?.[0] as number) }),
      })),
    ),
  },
  {
    fault: "padding counts",
    caughtBy: "a datum has in a batch what it has alone",
    planting: {
      model: (inner) => ({
        forwardBackward: (data, options) =>
          inner.forwardBackward(
            data.map((datum) => {
              const more = new Int32Array(longest(data) - datum.tokens.length).fill(
                datum.targets.at(-1) as number,
              );
              return {
                ...datum,
                tokens: Int32Array.of(...datum.tokens, ...more),
                targets: Int32Array.of(...datum.targets, ...more),
                weights: Float32Array.of(...(datum.weights ?? []), ...new Float32Array(more.length).fill(1)),
              };
            }),
            options,
          ),
      }),
    },
  },
  {
    fault: "a datum sees the one before it",
    caughtBy: "a datum has in a batch what it has alone",
    planting: withNeighbour(0.01),
    inBf16: withNeighbour(0.1),
  },
  {
    fault: "what does not count at a datum's end counts a little",
    caughtBy: "positions behind the last that counts change nothing",
    planting: withLastWeight(0.01),
    inBf16: withLastWeight(0.5),
  },
  {
    fault: "the first datum counts twice",
    caughtBy: "the order of data is irrelevant",
    planting: withData((data) =>
      data.map((datum, index) =>
        index > 0 || datum.weights === undefined
          ? datum
          : { ...datum, weights: datum.weights.map((one) => 2 * one) },
      ),
    ),
  },
  {
    fault: "a loss that is no number is answered",
    caughtBy: "a loss that is no number, or overflows, is refused by the datum's name",
    planting: {
      model: (inner) => ({
        forward: async (data, options) => {
          try {
            return await inner.forward(data, options);
          } catch {
            return { sequence: 0, lossSum: Number.NaN, positions: 0, logprobs: [] };
          }
        },
      }),
    },
  },
  {
    fault: "a loss that is no number is refused without the datum's name",
    caughtBy: "a loss that is no number, or overflows, is refused by the datum's name",
    planting: {
      model: (inner) => ({
        forward: (data, options) =>
          inner.forward(data, options).catch((error: { readonly code: string }) => {
            throw Object.assign(new Error("The loss is NaN."), { code: error.code });
          }),
      }),
    },
  },
  {
    fault: "masks are multiplied, and 0 times nothing is no number",
    caughtBy: "what does not count may be no number",
    planting: withResults((result, data) => ({
      ...result,
      lossSum: data.some(isHoled) ? Number.NaN : result.lossSum,
    })),
  },
];
