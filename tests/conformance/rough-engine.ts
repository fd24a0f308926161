import type {
  Datum,
  Engine,
  EngineCapabilities,
  EngineModel,
  LoadOptions,
  Sampler,
  Tolerance,
  TopLogprobs,
} from "../../src/foundation/contract/index.ts";
import { faultyEngine, type Planting } from "./faulty-engine.ts";
import { without } from "./plantings.ts";

/** What engines state that compute in bf16. */
const tolerance: Tolerance = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };

/**
 * How far a logprob is off on average, and at most. Passes in bf16 on the kit's models were off by up to 0.008 and 0.03, and by
 * 0.04 and 0.12 from what transformers computes in fp32; on SmolLM2-135M's own lines by 0.04 and 0.2.
 */
const noise = { mean: 0.03, most: 0.5 };
/** Of each weight of a pass, relative. */
const ofGradients = 0.01;

/**
 * The engine as if it computed in bf16: whatever it tells differs from one call to another as roundings would have it. Equal
 * calls in the same order differ alike.
 */
export function roughEngine(inner: Engine): Engine {
  const unrounded = (options: LoadOptions): LoadOptions =>
    options.precision === "bf16" ? without(options, "precision") : options;
  const rounding: Planting = {
    load: unrounded,
    model: roughModel,
    sampler: roughSampler,
    engine: () => ({
      capabilities: async () => roughOf(await inner.capabilities()),
    }),
  };
  return faultyEngine(inner, rounding);
}

const roughOf = (capabilities: EngineCapabilities): EngineCapabilities => ({
  ...capabilities,
  precisions: ["fp32", "bf16"],
  tolerance: { ...capabilities.tolerance, bf16: tolerance },
  // A batch of another shape is rounded otherwise.
  deterministic: ["calls", "engines"],
});

function roughModel(inner: EngineModel): Partial<EngineModel> {
  let calls = 0;
  const given = (data: readonly Datum[]): Datum[] => {
    calls += 1;
    return data.map((datum, index) => {
      const random = randomOf(calls, index, data.length, ...datum.tokens);
      const scaled = (values: Float32Array) => values.map((one) => one * (1 + ofGradients * random()));
      const { weights, advantages, logprobs } = datum;
      return {
        ...datum,
        ...(weights === undefined ? {} : { weights: scaled(weights) }),
        ...(advantages === undefined ? {} : { advantages: scaled(advantages) }),
        // As if the engine's own were off, to which these are compared.
        ...(logprobs === undefined ? {} : { logprobs: logprobs.map((one) => one + offset(random)) }),
      };
    });
  };
  const pass =
    (verb: "forward" | "forwardBackward"): EngineModel["forward"] =>
    async (data, options) => {
      const result = await inner[verb](given(data), options);
      return {
        ...result,
        logprobs: result.logprobs.map((values, index) => {
          // A call that is answered from its record is answered with the same numbers.
          const random = randomOf(result.sequence, index, data.length);
          return values.map((one) => off(one, random));
        }),
      };
    };
  const { gradientFeatures } = inner;
  return {
    forward: pass("forward"),
    forwardBackward: pass("forwardBackward"),
    ...(gradientFeatures === undefined
      ? {}
      : { gradientFeatures: (data, options) => gradientFeatures(given(data), options) }),
  };
}

function roughSampler(inner: Sampler): Partial<Sampler> {
  const { score, certainty, embed } = inner;
  const rounded = (values: Float32Array, ...key: readonly number[]): Float32Array => {
    const random = randomOf(...key);
    return values.map((one) => off(one, random));
  };
  const roundedTop = (top: TopLogprobs | undefined, ...key: readonly number[]) =>
    top === undefined ? {} : { top: { ...top, logprobs: rounded(top.logprobs, ...key) } };
  return {
    sample: async (requests, options) =>
      (await inner.sample(requests, options)).map((group, index) =>
        group.map((sample, place) => {
          const key = [1, requests.length, index, place, ...sample.tokens];
          return {
            ...sample,
            logprobs: rounded(sample.logprobs, ...key),
            ...roundedTop(sample.top, 2, ...key),
          };
        }),
      ),
    logprobs: async (sequences, options) =>
      (await inner.logprobs(sequences, options)).map((values, index) =>
        rounded(values, 3, sequences.length, index, ...(sequences[index] ?? [])),
      ),
    ...(score === undefined
      ? {}
      : {
          score: async (sequences, options) =>
            (await score(sequences, options)).map((scored, index) => {
              const key = [4, sequences.length, index, ...(sequences[index] ?? [])];
              return {
                ...scored,
                logprobs: rounded(scored.logprobs, ...key),
                ...roundedTop(scored.top, 5, ...key),
              };
            }),
        }),
    ...(certainty === undefined
      ? {}
      : {
          certainty: async (sequences) =>
            (await certainty(sequences)).map(({ entropy, selfCertainty }, index) => {
              const random = randomOf(6, sequences.length, index);
              return {
                entropy: entropy.map((one) => one + offset(random)),
                selfCertainty: selfCertainty.map((one) => one + offset(random)),
              };
            }),
        }),
    ...(embed === undefined
      ? {}
      : {
          embed: async (sequences, options) =>
            (await embed(sequences, options)).map((values, index) => {
              const random = randomOf(7, sequences.length, index, ...(sequences[index] ?? []));
              return values.map((one) => one * (1 + offset(random)));
            }),
        }),
  };
}

/** No probability is above one. */
const off = (logprob: number, random: () => number): number => Math.min(0, logprob + offset(random));

/** Exponential to both sides, so that few are far off. */
function offset(random: () => number): number {
  const one = random();
  const size = -noise.mean * Math.log(Math.max(1 - Math.abs(one), Number.EPSILON));
  return Math.sign(one) * Math.min(size, noise.most);
}

/** Numbers from -1 to 1 that are the same for the same key (mulberry32). */
function randomOf(...key: readonly number[]): () => number {
  let state = 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  for (const one of key) state = next() ^ one;
  return () => next() / 2 ** 31 - 1;
}
