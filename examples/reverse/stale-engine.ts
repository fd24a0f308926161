import type { Engine, EngineDefinition, EngineModel, Sampler } from "whetstone";

/**
 * An engine whose samplers stay behind from a training on: they are of the weights as the model had them when it was first asked,
 * whatever was learnt since.
 */
export function staleEngine(inner: EngineDefinition): EngineDefinition {
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
  let first: Promise<Sampler> | undefined;
  return {
    id: model.id,
    info: model.info,
    forward: (data, options) => model.forward(data, options),
    forwardBackward: (data, options) => model.forwardBackward(data, options),
    optimStep: (options) => model.optimStep(options),
    save: (options) => model.save(options),
    snapshot: async () => {
      first ??= model.snapshot();
      const sampler = await first;
      return {
        id: sampler.id,
        weightVersion: sampler.weightVersion,
        sample: (requests, options) => sampler.sample(requests, options),
        logprobs: (sequences, options) => sampler.logprobs(sequences, options),
        // It is asked again.
        [Symbol.asyncDispose]: async () => {},
      };
    },
    [Symbol.asyncDispose]: async () => {
      const sampler = await first;
      await sampler?.[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
    },
  };
}
