import type { Engine } from "../../../foundation/contract/index.ts";
import type { ConformanceSubject } from "./subject.ts";

/**
 * An engine whose models lie elsewhere, with one that it knows by name: how many tokens it has the engine itself says, no seed
 * decides its weights, and its checkpoints are out of sight. Throws what creating the model throws.
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
  rest: Pick<ConformanceSubject, "precision" | "tokens" | "lora"> = {},
): Promise<ConformanceSubject> {
  const { lora } = rest;
  await using made = await engine.createModel({
    source: { kind: "folder", path: model, seed: 1 },
    ...(lora === undefined ? {} : { lora }),
  });
  const { vocabularySize } = made.info;
  return { engine, modelFolder: model, vocabularySize, trained: true, remote: true, ...rest };
}
