import { WhetstoneError } from "../../../../foundation/base/index.ts";
import type { Engine, EngineModel, LoadOptions, Sampler } from "../../../../foundation/contract/index.ts";

export type MortalVerb =
  | "createModel"
  | "loadSampler"
  | "forward"
  | "forwardBackward"
  | "optimStep"
  | "save"
  | "snapshot"
  | "sample"
  | "logprobs";

/** Whether the engine's worker dies in a call, the n-th of all: before anything is done, or when it is, and nobody has heard of it. */
export type Fate = (verb: MortalVerb, call: number) => "before" | "after" | undefined;

/** An engine with one worker that can die: then all that it held is lost, and the next one is there at once. */
export function mortal(inner: Engine, fate: Fate): Engine {
  let worker = 1;
  let calls = 0;
  const death = (): WhetstoneError =>
    new WhetstoneError({ code: "worker-died", category: "engine", message: "A worker of the engine died." });
  const call = async <T>(verb: MortalVerb, on: number, work: () => Promise<T>): Promise<T> => {
    if (on !== worker) throw death();
    calls += 1;
    const end = fate(verb, calls);
    if (end === "before") {
      worker += 1;
      throw death();
    }
    const answer = work();
    if (end === "after") worker += 1;
    const value = await answer;
    // A worker that is gone by now has told nobody.
    if (on !== worker) throw death();
    return value;
  };
  const samplerOf = (sampler: Sampler, on: number): Sampler => ({
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    sample: (requests, options) => call("sample", on, () => sampler.sample(requests, options)),
    logprobs: (sequences, options) => call("logprobs", on, () => sampler.logprobs(sequences, options)),
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  });
  const modelOf = (model: EngineModel, on: number): EngineModel => ({
    id: model.id,
    info: model.info,
    forward: (data, options) => call("forward", on, () => model.forward(data, options)),
    forwardBackward: (data, options) =>
      call("forwardBackward", on, () => model.forwardBackward(data, options)),
    optimStep: (options) => call("optimStep", on, () => model.optimStep(options)),
    save: (options) => call("save", on, () => model.save(options)),
    snapshot: (options) => call("snapshot", on, async () => samplerOf(await model.snapshot(options), on)),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  });
  return {
    name: inner.name,
    capabilities: () => inner.capabilities(),
    cost: () => inner.cost(),
    createModel: (options: LoadOptions) => {
      const on = worker;
      return call("createModel", on, async () => modelOf(await inner.createModel(options), on));
    },
    loadSampler: (options: LoadOptions) => {
      const on = worker;
      return call("loadSampler", on, async () => samplerOf(await inner.loadSampler(options), on));
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}
