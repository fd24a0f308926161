import { rmSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Datum } from "../../src/foundation/contract/index.ts";
import { architectureFaults } from "./architecture-faults.ts";
import { callFaults } from "./call-faults.ts";
import { capabilityFaults } from "./capability-faults.ts";
import { companyFaults } from "./company-faults.ts";
import type { Fault } from "./fault.ts";
import type { Planting } from "./faulty-engine.ts";
import { gradientFaults } from "./gradient-faults.ts";
import { withData, withForwardOptions, without, withResults, withStep, withWeights } from "./plantings.ts";
import { samplingFaults } from "./sampling-faults.ts";

const countOf = (data: readonly Datum[]): number => data.reduce((sum, { tokens }) => sum + tokens.length, 0);
const clear = { optimizer: "sgd", learningRate: 0 } as const;

const higherBy = (more: number): Planting =>
  withResults((result) => ({
    ...result,
    logprobs: result.logprobs.map((values) => values.map((logprob) => logprob + more)),
  }));
const withLearningRate = (usual: number): Planting =>
  withStep((step) => ({ ...step, learningRate: step.learningRate || usual }));

const inLosses: readonly Fault[] = [
  {
    fault: "losses are means",
    caughtBy: "a loss is a sum over positions",
    planting: withResults((result, data) => ({ ...result, lossSum: result.lossSum / countOf(data) })),
  },
  {
    fault: "gradients are means",
    caughtBy: "a gradient is a sum over positions",
    planting: withData((data) =>
      data.map((datum) => ({
        ...datum,
        ...(datum.weights === undefined ? {} : { weights: datum.weights.map((one) => one / countOf(data)) }),
      })),
    ),
  },
  {
    fault: "logprobs are not normalised",
    caughtBy: "the probabilities of all tokens sum to one",
    planting: higherBy(0.01),
    inBf16: higherBy(0.2),
  },
  {
    fault: "logprobs come back where no weight is",
    caughtBy: "logprobs come back as they are asked for",
    planting: withForwardOptions((options) => ({ ...options, logprobs: "all" })),
  },
  {
    fault: "weights lose their sign",
    caughtBy: "a negative weight pushes its token down",
    planting: withWeights(Math.abs),
  },
  {
    fault: "negative weights count half",
    caughtBy: "opposite weights cancel",
    planting: withWeights((weight) => (weight < 0 ? weight / 2 : weight)),
  },
  {
    fault: "a weight of zero is a small one",
    caughtBy: "a weight of zero does not count",
    planting: withWeights((weight) => (weight === 0 ? 1e-3 : weight)),
  },
  {
    fault: "advantages have the wrong sign",
    caughtBy: "importance_sampling of one's own samples is cross_entropy with advantages as weights",
    planting: withData((data) =>
      data.map((datum) => ({
        ...datum,
        ...(datum.advantages === undefined ? {} : { advantages: datum.advantages.map((one) => -one) }),
      })),
    ),
  },
  {
    fault: "importance_sampling takes the ratio for one",
    caughtBy: "importance_sampling weighs by the probability ratio",
    planting: {
      model: (inner) => ({
        forwardBackward: (data, options) =>
          inner.forwardBackward(
            data.map((datum) => ({
              ...datum,
              ...(datum.advantages === undefined ? {} : { weights: datum.advantages }),
            })),
            { ...options, loss: { name: "cross_entropy" } },
          ),
      }),
    },
  },
  {
    fault: "ppo clips too early",
    caughtBy: "ppo is importance_sampling while the ratio is near one",
    planting: withForwardOptions(({ loss, ...options }) => ({
      ...options,
      loss: loss.name === "ppo" ? { clipLow: 0.9, clipHigh: 1.1, ...loss } : loss,
    })),
  },
  {
    fault: "ppo does not clip",
    caughtBy: "ppo clips what has gone far enough, and only that",
    planting: withForwardOptions(({ loss, ...options }) => ({
      ...options,
      loss: loss.name === "ppo" ? { name: "importance_sampling" } : loss,
    })),
  },
  {
    fault: "masks are ignored",
    caughtBy: "a mask says which positions count",
    planting: withData((data) => data.map((datum) => without(datum, "mask"))),
  },
];

const inSteps: readonly Fault[] = [
  {
    fault: "only the last pass has a gradient",
    caughtBy: "accumulation equals one batch",
    planting: {
      model: (inner) => {
        let waiting = false;
        return {
          forwardBackward: async (data, options) => {
            if (waiting) await inner.optimStep(clear);
            waiting = true;
            return await inner.forwardBackward(data, options);
          },
          optimStep: (step) => {
            waiting = false;
            return inner.optimStep(step);
          },
        };
      },
    },
  },
  {
    fault: "the gradient stays after a step",
    caughtBy: "a step uses up the gradient",
    planting: {
      model: (inner) => {
        let last: Parameters<typeof inner.forwardBackward> | undefined;
        return {
          forwardBackward: (data, options) => {
            last = [data, options];
            return inner.forwardBackward(data, options);
          },
          optimStep: async (step) => {
            const result = await inner.optimStep(step);
            if (last !== undefined) await inner.forwardBackward(...last);
            return result;
          },
        };
      },
    },
  },
  {
    fault: "forward adds to the gradient",
    caughtBy: "forward leaves the gradient alone",
    planting: { model: (inner) => ({ forward: (data, options) => inner.forwardBackward(data, options) }) },
  },
  {
    fault: "a learning rate of zero is taken for none given",
    caughtBy: "a learning rate of zero changes nothing",
    planting: withLearningRate(1e-3),
    inBf16: withLearningRate(0.5),
  },
  {
    fault: "gradients are not clipped",
    caughtBy: "gradientClipNorm scales the gradient, and its norm is told as it was",
    planting: withStep((step) => without(step, "gradientClipNorm")),
  },
  {
    fault: "weights do not decay",
    caughtBy: "weightDecay shrinks the weights themselves",
    planting: withStep((step) => ({ ...step, weightDecay: 0 })),
  },
  {
    fault: "adamw is sgd",
    caughtBy: "adamw does not depend on the gradient's scale",
    planting: withStep((step) => ({ ...step, optimizer: "sgd" })),
  },
  {
    fault: "betas are ignored",
    caughtBy: "adamw remembers earlier gradients as long as its betas say",
    planting: withStep((step) => without(without(step, "beta1"), "beta2")),
  },
];

const inSequences: readonly Fault[] = [
  {
    fault: "a repeated step is applied again",
    caughtBy: "a call that was applied is answered from its record, and not run again",
    planting: withStep((step) => without(step, "sequence")),
  },
  {
    fault: "a repeated pass adds its gradient again",
    caughtBy: "a call that was applied is answered from its record, and not run again",
    planting: withForwardOptions((options) => without(options, "sequence")),
  },
  {
    fault: "a repeated snapshot is of newer weights",
    caughtBy: "a snapshot that is asked for again is the same one",
    planting: { model: (inner) => ({ snapshot: () => inner.snapshot() }) },
  },
  {
    fault: "a failed call uses a number",
    caughtBy: "calls are numbered one after the other, and a failed one uses no number",
    planting: {
      model: (inner) => ({
        forwardBackward: async (data, options) => {
          try {
            return await inner.forwardBackward(data, options);
          } catch (error) {
            await inner.forward(data.slice(0, 1), options);
            throw error;
          }
        },
      }),
    },
  },
  {
    fault: "a number that skips ahead is taken",
    caughtBy: "a number that skips ahead is refused, and changes nothing",
    planting: withStep((step) => without(step, "sequence")),
  },
  {
    fault: "steps overtake passes",
    caughtBy: "calls run in the order in which they are made",
    planting: {
      model: (inner) => ({
        forwardBackward: async (data, options) => {
          await nextTurn();
          return await inner.forwardBackward(data, options);
        },
      }),
    },
  },
  {
    fault: "unknown tokens become others",
    caughtBy: "tokens outside the vocabulary are refused",
    planting: withData((data) =>
      data.map((datum) => ({ ...datum, tokens: datum.tokens.map((token) => Math.max(0, token) % 3) })),
    ),
  },
  {
    fault: "numbers that are none are taken for zero",
    caughtBy: "calls that make no sense are refused",
    planting: withStep((step) => ({ ...step, learningRate: step.learningRate || 0 })),
  },
  {
    fault: "steps are not counted",
    caughtBy: "the engine counts what it does",
    planting: { engine: (inner) => ({ cost: () => ({ ...inner.cost(), optimizerSteps: 0 }) }) },
  },
];

const inCheckpoints: readonly Fault[] = [
  {
    fault: "moments are lost",
    caughtBy: "what is loaded goes on as what was saved",
    planting: {
      load: (options) => ({
        ...options,
        source:
          options.source.kind === "checkpoint" ? { ...options.source, optimizer: false } : options.source,
      }),
    },
  },
  {
    fault: "moments come along unasked",
    caughtBy: "a checkpoint without its optimiser has the weights, and a new optimiser",
    planting: {
      model: (inner) => ({ save: (options) => inner.save({ ...options, optimizer: true }) }),
      load: (options) => ({
        ...options,
        source:
          options.source.kind === "checkpoint" ? { ...options.source, optimizer: true } : options.source,
      }),
    },
  },
  {
    fault: "saving moves the weights",
    caughtBy: "a sampler can be loaded from a checkpoint",
    planting: {
      model: (inner) => ({
        save: async (options) => {
          const saved = await inner.save(options);
          await inner.optimStep({ ...clear, learningRate: 0.5, weightDecay: 0.5 });
          return saved;
        },
      }),
    },
  },
  {
    fault: "checkpoints are written over",
    caughtBy: "a checkpoint is never written over",
    planting: {
      model: (inner) => ({
        save: (options) => {
          rmSync(options.path, { recursive: true, force: true });
          return inner.save(options);
        },
      }),
    },
  },
];

export const faults: readonly Fault[] = [
  ...inLosses,
  ...inSteps,
  ...inSequences,
  ...samplingFaults,
  ...inCheckpoints,
  ...gradientFaults,
  ...callFaults,
  ...companyFaults,
  ...capabilityFaults,
  ...architectureFaults,
];
