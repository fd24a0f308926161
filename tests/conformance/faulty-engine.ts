import type { Engine, EngineModel, LoadOptions, Sampler } from "../../src/foundation/contract/index.ts";

/** What an engine with a planted fault does otherwise than the one that it wraps. */
export interface Planting {
  readonly engine?: (inner: Engine) => Partial<Engine>;
  readonly load?: (options: LoadOptions) => LoadOptions;
  /** Called once a model: a fault may remember what went before. */
  readonly model?: (inner: EngineModel) => Partial<EngineModel>;
  readonly sampler?: (inner: Sampler) => Partial<Sampler>;
}

/** The engine with the fault in it. Closing it leaves the inner one open. */
export function faultyEngine(inner: Engine, planting: Planting): Engine {
  const { load = (options) => options } = planting;
  const engine: Engine = {
    name: `${inner.name}, with a fault`,
    capabilities: () => inner.capabilities(),
    createModel: async (options) => faultyModel(await inner.createModel(load(options)), planting),
    loadSampler: async (options) => faultySampler(await inner.loadSampler(load(options)), planting),
    cost: () => inner.cost(),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { ...engine, ...planting.engine?.(inner) };
}

function faultyModel(inner: EngineModel, planting: Planting): EngineModel {
  const model: EngineModel = {
    id: inner.id,
    info: inner.info,
    forward: (data, options) => inner.forward(data, options),
    forwardBackward: (data, options) => inner.forwardBackward(data, options),
    optimStep: (options) => inner.optimStep(options),
    save: (options) => inner.save(options),
    snapshot: (options) => inner.snapshot(options),
    ...bound(inner, "gradientFeatures"),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    ...planting.model?.(inner),
  };
  const { snapshot } = model;
  return { ...model, snapshot: async (options) => faultySampler(await snapshot(options), planting) };
}

function faultySampler(inner: Sampler, planting: Planting): Sampler {
  return {
    id: inner.id,
    weightVersion: inner.weightVersion,
    sample: (requests, options) => inner.sample(requests, options),
    logprobs: (sequences, options) => inner.logprobs(sequences, options),
    ...bound(inner, "score"),
    ...bound(inner, "certainty"),
    ...bound(inner, "embed"),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    ...planting.sampler?.(inner),
  };
}

/** A method that there may be. */
function bound<T extends object, Name extends keyof T>(inner: T, name: Name): Pick<T, Name> {
  const method = inner[name];
  return (typeof method === "function" ? { [name]: method.bind(inner) } : {}) as Pick<T, Name>;
}
