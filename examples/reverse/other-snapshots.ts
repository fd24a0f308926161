import type { Engine, EngineDefinition, EngineModel, Sampler } from "whetstone";

/** How a model's samplers are made, and what else is to be given back with the model. */
export interface Snapshots {
  take(): Promise<Sampler>;
  close?(): Promise<void>;
}

/** An engine that is as it was but for the samplers that are taken of its models. */
export function withSnapshots(
  inner: EngineDefinition,
  snapshotsOf: (model: EngineModel) => Snapshots,
): EngineDefinition {
  return { ...inner, open: async (context) => engineOf(await inner.open(context), snapshotsOf) };
}

function engineOf(engine: Engine, snapshotsOf: (model: EngineModel) => Snapshots): Engine {
  return {
    name: engine.name,
    capabilities: () => engine.capabilities(),
    cost: () => engine.cost(),
    createModel: async (options) => modelOf(await engine.createModel(options), snapshotsOf),
    loadSampler: (options) => engine.loadSampler(options),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function modelOf(model: EngineModel, snapshotsOf: (model: EngineModel) => Snapshots): EngineModel {
  const snapshots = snapshotsOf(model);
  return {
    id: model.id,
    info: model.info,
    forward: (data, options) => model.forward(data, options),
    forwardBackward: (data, options) => model.forwardBackward(data, options),
    optimStep: (options) => model.optimStep(options),
    save: (options) => model.save(options),
    snapshot: () => snapshots.take(),
    [Symbol.asyncDispose]: async () => {
      await snapshots.close?.();
      await model[Symbol.asyncDispose]();
    },
  };
}
