import type { EngineModel, TopLogprobs } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import type { Planting } from "./faulty-engine.ts";
import { without, withSamples } from "./plantings.ts";

const decayed = (weightDecay: number): Planting => ({
  engine: (inner) => ({
    createModel: async (options) => {
      const model = await inner.createModel(options);
      if (options.lora !== undefined) await model.optimStep({ learningRate: 0.1, weightDecay });
      return model;
    },
  }),
});

const inAdapters: readonly Fault[] = [
  {
    fault: "adapters do not begin at nothing",
    caughtBy: "an adapter begins as its base, and says what it is",
    planting: decayed(0.5),
    inBf16: decayed(5),
  },
  {
    fault: "alpha is ignored",
    caughtBy: "an adapter begins as its base, and says what it is",
    planting: {
      load: (options) => ({
        ...options,
        ...(options.lora === undefined ? {} : { lora: without(options.lora, "alpha") }),
      }),
    },
  },
  {
    fault: "adapters of one base are one",
    caughtBy: "adapters of one base touch neither each other nor it",
    planting: {
      engine: (inner) => {
        let only: Promise<EngineModel> | undefined;
        return {
          createModel: async (options) => {
            if (options.lora === undefined) return await inner.createModel(options);
            only ??= inner.createModel(options);
            return { ...(await only), [Symbol.asyncDispose]: async () => undefined };
          },
        };
      },
    },
  },
  {
    fault: "a loaded adapter has its base's weights",
    caughtBy: "an adapter goes on as it was saved, and can be sampled from",
    planting: {
      engine: (inner) => {
        let base: Parameters<typeof inner.createModel>[0] | undefined;
        return {
          createModel: (options) => {
            if (options.source.kind === "folder") base = options;
            return inner.createModel(options.source.kind === "folder" ? options : (base ?? options));
          },
        };
      },
    },
  },
  {
    fault: "too large a rank is taken for the largest",
    caughtBy: "ranks that there are not are refused",
    planting: {
      load: (options) => ({
        ...options,
        ...(options.lora === undefined
          ? {}
          : { lora: { ...options.lora, rank: Math.min(4, options.lora.rank) } }),
      }),
    },
  },
];

/** What a position says, said one position later. */
const late = ({ k, tokens, logprobs }: TopLogprobs): TopLogprobs => ({
  k,
  tokens: Int32Array.from(tokens, (_, at) => tokens[Math.max(0, at - k)] as number),
  logprobs: Float32Array.from(logprobs, (_, at) => logprobs[Math.max(0, at - k)] as number),
});

const inExtensions: readonly Fault[] = [
  {
    fault: "the most probable tokens are told a place too late",
    caughtBy: "the most probable tokens are those of the model itself",
    planting: {
      sampler: (inner) => ({
        score: async (sequences, options) =>
          ((await inner.score?.(sequences, options)) ?? []).map((scored) => ({
            ...scored,
            ...(scored.top === undefined ? {} : { top: late(scored.top) }),
          })),
      }),
    },
  },
  {
    fault: "the least probable tokens are told",
    caughtBy: "the most probable tokens are those of the model itself",
    planting: {
      sampler: (inner) => ({
        score: async (sequences, { top = 0 } = {}) => {
          const all = (await inner.score?.(sequences, { top: 8 })) ?? [];
          return all.map((scored) => {
            const given = scored.top as TopLogprobs;
            const last = (_: unknown, at: number): number => Math.floor(at / top) * 8 + 8 - top + (at % top);
            const places = Array.from({ length: (given.tokens.length / 8) * top }, last);
            return {
              ...scored,
              top: {
                k: top,
                tokens: Int32Array.from(places, (place) => given.tokens[place] as number),
                logprobs: Float32Array.from(places, (place) => given.logprobs[place] as number),
              },
            };
          });
        },
      }),
    },
  },
  {
    fault: "the most probable tokens are told under the temperature",
    caughtBy: "sampled positions tell their most probable tokens, whatever filtered them",
    planting: withSamples((sample, { parameters: { temperature = 1 } }) =>
      sample.top === undefined
        ? sample
        : {
            ...sample,
            top: { ...sample.top, logprobs: sample.top.logprobs.map((one) => one / temperature) },
          },
    ),
  },
  {
    fault: "entropy is in bits",
    caughtBy: "certainty is that of the distribution",
    planting: {
      sampler: (inner) => ({
        certainty: async (sequences) =>
          ((await inner.certainty?.(sequences)) ?? []).map(({ entropy, selfCertainty }) => ({
            entropy: entropy.map((nats) => nats / Math.LN2),
            selfCertainty,
          })),
      }),
    },
  },
  {
    fault: "self-certainty is the entropy's opposite",
    caughtBy: "certainty is that of the distribution",
    planting: {
      sampler: (inner) => ({
        certainty: async (sequences) =>
          ((await inner.certainty?.(sequences)) ?? []).map(({ entropy }) => ({
            entropy,
            selfCertainty: entropy.map((nats) => -nats),
          })),
      }),
    },
  },
  {
    fault: "the mean embedding is the last one",
    caughtBy: "a mean embedding is the mean of the last ones of all prefixes",
    planting: {
      sampler: (inner) => ({
        embed: async (sequences) => (await inner.embed?.(sequences, { pooling: "last" })) ?? [],
      }),
    },
  },
  {
    fault: "gradient features have length one",
    caughtBy: "gradient features have the gradients' lengths and angles",
    planting: {
      model: (inner) => ({
        gradientFeatures: async (data, options) =>
          ((await inner.gradientFeatures?.(data, options)) ?? []).map((one) => {
            const length = Math.hypot(...one);
            return one.map((value) => value / length);
          }),
      }),
    },
  },
  {
    fault: "each datum's features are of a projection of its own",
    caughtBy: "gradient features have the gradients' lengths and angles",
    planting: {
      model: (inner) => ({
        gradientFeatures: async (data, options) => {
          const all = data.map((datum, index) =>
            inner.gradientFeatures?.([datum], { ...options, seed: options.seed + index }),
          );
          return (await Promise.all(all)).flatMap((one) => one ?? []);
        },
      }),
    },
  },
  {
    fault: "the seed of features is ignored",
    caughtBy: "gradient features depend on their seed alone, and leave the model as it is",
    planting: {
      model: (inner) => ({
        gradientFeatures: async (data, options) =>
          (await inner.gradientFeatures?.(data, { ...options, seed: 0 })) ?? [],
      }),
    },
  },
  {
    fault: "features use up the gradient",
    caughtBy: "gradient features depend on their seed alone, and leave the model as it is",
    planting: {
      model: (inner) => ({
        gradientFeatures: async (data, options) => {
          await inner.optimStep({ learningRate: 0, weightDecay: 0 });
          return (await inner.gradientFeatures?.(data, options)) ?? [];
        },
      }),
    },
  },
];

export const capabilityFaults: readonly Fault[] = [...inAdapters, ...inExtensions];
