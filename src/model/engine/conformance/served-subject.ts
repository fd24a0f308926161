import { userError } from "../../../foundation/base/index.ts";
import type { Engine } from "../../../foundation/contract/index.ts";
import { folderSubject } from "./folder-subject.ts";
import type { ConformanceSubject } from "./subject.ts";

interface Served extends Pick<ConformanceSubject, "precision" | "tokens" | "lora"> {
  /** The model's folder, where there is a copy of it here: it says how many tokens there are where the server does not. */
  readonly folder?: string;
}

/**
 * An engine whose models lie elsewhere, with one that it knows by name: no seed decides its weights, and its checkpoints are out
 * of sight. How many tokens it has the engine itself says, or the folder. Throws what creating the model throws, and a user error
 * `vocabulary-unknown` where nobody says.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await using engine = await tabular().open({ logFolder: folder }); // or a server's
 * const { vocabularySize } = await servedSubject(engine, path);
 */
export async function servedSubject(
  engine: Engine,
  model: string,
  { folder, ...rest }: Served = {},
): Promise<ConformanceSubject> {
  const { lora, precision } = rest;
  const modelFolder = folder ?? model;
  await using made = await engine.createModel({
    source: { kind: "folder", path: modelFolder, seed: 1 },
    ...(precision === undefined ? {} : { precision }),
    ...(lora === undefined ? {} : { lora }),
  });
  const { vocabularySize } = made.info;
  if (vocabularySize === Number.MAX_SAFE_INTEGER)
    throw userError(
      "vocabulary-unknown",
      `The server does not say how many tokens ${model} has: give a folder with its config.json too, NAME=FOLDER.`,
    );
  const { tokens } = folder === undefined ? {} : await folderSubject(engine, folder);
  const { gradientNorm } = await made.optimStep({ learningRate: 0, weightDecay: 0 });
  return {
    engine: Number.isNaN(gradientNorm) ? withoutNorm(engine) : engine,
    modelFolder,
    vocabularySize,
    trained: true,
    remote: true,
    ...(tokens === undefined ? {} : { tokens }),
    ...rest,
  };
}

/** An engine that was found not to tell the norm of its gradients, saying so. */
export function withoutNorm(engine: Engine): Engine {
  return {
    name: engine.name,
    capabilities: async () => ({ ...(await engine.capabilities()), untold: ["gradient-norm"] }),
    createModel: (options) => engine.createModel(options),
    loadSampler: (options) => engine.loadSampler(options),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
