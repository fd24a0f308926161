import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { convertGguf } from "../gguf/convert-gguf.ts";
import { smallModel } from "../gguf/testing/small-model.ts";
import { ggufBytes } from "../gguf/testing/write-gguf.ts";

/** Writes a small model as a GGUF file; returns its path. */
export async function writeSmallGguf(folder: string, name = "Small Model.gguf"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, ggufBytes(smallModel));
  return path;
}

/** Writes it as a Hugging Face folder; returns its path. */
export async function writeSmallFolder(folder: string, name = "small"): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await convertGguf({ path: await writeSmallGguf(folder, `${name}.gguf`), folder: path });
  return path;
}

/** The files of a folder. */
export async function readFolder(folder: string): Promise<Record<string, Uint8Array>> {
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}
