import type { Engine, EngineDefinition, EngineModel, Sampler } from "whetstone";

/** How far a token's logprob is off, as a share of itself: that of kernels of a lower precision. */
const off = 0.02;

/** An engine that samples with other kernels than it scores with: what it says of its own tokens is a little wrong. */
export function mismatchedEngine(inner: EngineDefinition): EngineDefinition {
  return { ...inner, open: async (context) => engineOf(await inner.open(context)) };
}

function engineOf(engine: Engine): Engine {
  return {
    name: engine.name,
    capabilities: () => engine.capabilities(),
    cost: () => engine.cost(),
    createModel: async (options) => modelOf(await engine.createModel(options)),
    loadSampler: (options) => engine.loadSampler(options),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function modelOf(model: EngineModel): EngineModel {
  return {
    id: model.id,
    info: model.info,
    forward: (data, options) => model.forward(data, options),
    forwardBackward: (data, options) => model.forwardBackward(data, options),
    optimStep: (options) => model.optimStep(options),
    save: (options) => model.save(options),
    snapshot: async () => samplerOf(await model.snapshot()),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}

function samplerOf(sampler: Sampler): Sampler {
  return {
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    sample: async (requests, options) => {
      const sampled = await sampler.sample(requests, options);
      return sampled.map((sequences) =>
        sequences.map((sequence) => ({
          ...sequence,
          logprobs: sequence.logprobs.map((logprob) => logprob * (1 + off)),
        })),
      );
    },
    logprobs: (sequences, options) => sampler.logprobs(sequences, options),
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  };
}
