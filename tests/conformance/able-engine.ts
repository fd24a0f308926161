import type {
  Engine,
  EngineModel,
  LoraOptions,
  ModelInfo,
  Sampler,
  TokenIds,
} from "../../src/foundation/contract/index.ts";
import { fastArchitectures, plainArchitectures } from "../../src/model/engine/architectures.ts";
import { engineError } from "../../src/model/engine/engine-error.ts";
import { faultyEngine } from "./faulty-engine.ts";

const loraRank = 4;
const modules = ["attention", "mlp", "unembed"] as const;

/**
 * The engine with what a table has no use for, done honestly, so that the kit's checks of it can be checked too. An adapter
 * is a model of its own that begins as its base; an embedding is the distribution of the next token, which depends on the
 * tokens before it alone.
 */
export function ableEngine(inner: Engine, vocabularySize: number): Engine {
  const saved = new Map<string, ModelInfo["lora"]>();
  const plain = faultyEngine(inner, {
    sampler: (sampler) => ({
      embed: (sequences, { pooling }) => embed(sampler, vocabularySize, sequences, pooling),
    }),
  });
  return {
    ...plain,
    capabilities: async () => {
      const capabilities = await inner.capabilities();
      return {
        ...capabilities,
        loraRank,
        extensions: [...capabilities.extensions, "embeddings"],
        // A table reads a configuration's vocabulary, whatever else it says.
        architectures: [...fastArchitectures, ...plainArchitectures],
      };
    },
    createModel: async ({ lora, ...options }) => {
      if (lora !== undefined) check(lora);
      const model = await plain.createModel(options);
      const shape =
        lora === undefined
          ? saved.get(options.source.path)
          : {
              rank: lora.rank,
              alpha: lora.alpha ?? 32,
              modules: lora.modules ?? (["attention", "mlp"] as const),
            };
      return shape === undefined ? model : adapterOf(model, shape, saved);
    },
  };
}

function check({ rank, modules: asked = modules }: LoraOptions): void {
  if (!Number.isInteger(rank) || rank < 1 || rank > loraRank)
    throw engineError("bad-request", `Adapters have a rank from 1 to ${loraRank}, not ${rank}.`);
  if (asked.length === 0) throw engineError("bad-request", "Adapters lie on at least one module.");
  const strange = asked.find((name) => !modules.includes(name));
  if (strange !== undefined) throw engineError("bad-request", `There is no module ${strange}.`);
}

function adapterOf(
  model: EngineModel,
  lora: NonNullable<ModelInfo["lora"]>,
  saved: Map<string, ModelInfo["lora"]>,
): EngineModel {
  return {
    ...model,
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    info: { ...model.info, lora },
    save: (options) => {
      saved.set(options.path, lora);
      return model.save(options);
    },
  };
}

async function embed(
  sampler: Sampler,
  vocabularySize: number,
  sequences: readonly TokenIds[],
  pooling: "mean" | "last",
): Promise<Float32Array[]> {
  const all = [];
  for (const sequence of sequences) {
    const states: number[][] = [];
    for (let end = pooling === "last" ? sequence.length : 1; end <= sequence.length; end++) {
      const next = Array.from({ length: vocabularySize }, (_, id) =>
        Int32Array.of(...sequence.subarray(0, end), id),
      );
      states.push((await sampler.logprobs(next)).map((logprobs) => Math.exp(logprobs.at(-1) as number)));
    }
    all.push(
      Float32Array.from({ length: vocabularySize }, (_, id) =>
        states.reduce((sum, state) => sum + (state[id] as number) / states.length, 0),
      ),
    );
  }
  return all;
}
