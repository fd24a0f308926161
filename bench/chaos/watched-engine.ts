import { appendFileSync } from "node:fs";
import type { Engine, EngineDefinition, EngineModel, Sampler } from "whetstone";

/** What a line of the work's log says: tokens that a pass was given, or at most writes; then what a call really wrote. */
export interface WorkLine {
  readonly kind: "train" | "read" | "sample" | "sampled";
  /** Of a sampling call, to find its answer again. */
  readonly call?: string;
  readonly tokens: number;
}

/** Hears that the engine has applied an optimiser step, which nobody knows yet. */
type Applied = () => void;

/**
 * An engine that writes down what it is asked to do before it does it, in a file that outlives a kill: a call whose answer never
 * came counts as all the work that it may have been.
 */
export function watched(inner: EngineDefinition, log: string, onApplied: Applied): EngineDefinition {
  let calls = 0;
  const write = (line: WorkLine): void => appendFileSync(log, `${JSON.stringify(line)}\n`);
  const total = (sequences: readonly { readonly length: number }[]): number =>
    sequences.reduce((sum, { length }) => sum + length, 0);
  const samplerOf = (sampler: Sampler): Sampler => ({
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    sample: async (requests, options) => {
      calls += 1;
      const call = `${process.pid}/${calls}`;
      const most = requests.map(({ samples, parameters }) => ({ length: samples * parameters.maxTokens }));
      write({ kind: "sample", call, tokens: total(most) });
      const answer = await sampler.sample(requests, options);
      write({ kind: "sampled", call, tokens: total(answer.flat().map(({ tokens }) => tokens)) });
      return answer;
    },
    logprobs: (sequences, options) => {
      write({ kind: "read", tokens: total(sequences) });
      return sampler.logprobs(sequences, options);
    },
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  });
  const modelOf = (model: EngineModel): EngineModel => ({
    id: model.id,
    info: model.info,
    forward: (data, options) => {
      write({ kind: "read", tokens: total(data.map(({ tokens }) => tokens)) });
      return model.forward(data, options);
    },
    forwardBackward: (data, options) => {
      write({ kind: "train", tokens: total(data.map(({ tokens }) => tokens)) });
      return model.forwardBackward(data, options);
    },
    optimStep: (options) => {
      const applied = model.optimStep(options);
      applied.then(onApplied, () => undefined);
      return applied;
    },
    save: (options) => model.save(options),
    snapshot: async (options) => samplerOf(await model.snapshot(options)),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  });
  return {
    ...inner,
    open: async (context) => {
      const engine = await inner.open(context);
      const watching: Engine = {
        name: engine.name,
        capabilities: () => engine.capabilities(),
        cost: () => engine.cost(),
        createModel: async (options) => modelOf(await engine.createModel(options)),
        loadSampler: async (options) => samplerOf(await engine.loadSampler(options)),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
      return watching;
    },
  };
}

/** Work in forward passes of a token: two operations a parameter, and six where gradients are computed too. */
export function workOf(lines: readonly WorkLine[]): number {
  const answered = new Map(
    lines.flatMap(({ kind, call, tokens }) => (kind === "sampled" ? [[call, tokens]] : [])),
  );
  return lines.reduce((sum, { kind, call, tokens }) => {
    if (kind === "sampled") return sum;
    if (kind === "train") return sum + 3 * tokens;
    return sum + (answered.get(call) ?? tokens);
  }, 0);
}
