import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256OfFiles } from "../../../foundation/base/index.ts";
import { estimateParameters } from "../../engine/index.ts";
import type { NamedModel } from "../catalogue.ts";
import { isWeightsFile } from "../model-files.ts";
import { downloadFolder, type Filled, type StoreOptions } from "../store.ts";
import { download } from "./download.ts";
import { findOnHub, hubToken } from "./hub-files.ts";

/** Fills a folder with a model of the hub. Throws whatever keeps the hub from giving it. */
export async function fillFromHub(
  model: NamedModel,
  folder: string,
  { environment = process.env, onProgress, signal }: StoreOptions,
): Promise<Filled> {
  onProgress?.("asking the model hub", 0, 1);
  const { revision, files } = await findOnHub(model.repository, environment, signal);
  // Parts of another commit are of no use.
  const downloads = join(downloadFolder(model.name, environment), revision);
  await mkdir(downloads, { recursive: true });
  const all = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    await download({
      file,
      path: join(downloads, file.path),
      token: hubToken(environment),
      onProgress: (bytes) => onProgress?.(`downloading ${model.name}`, before + bytes, all),
      ...(signal ? { signal } : {}),
    });
    before += file.size;
  }
  for (const { path } of files) await rename(join(downloads, path), join(folder, path));
  await rm(downloads, { recursive: true, force: true });
  const weights = files.map(({ path }) => path).filter(isWeightsFile);
  return {
    source: { kind: "hub", repository: model.repository, revision },
    sha256: await sha256OfFiles(
      weights.map((name) => join(folder, name)),
      signal,
    ),
    parameters: estimateParameters(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))),
    quantisation: null,
    licence: model.licence,
  };
}
