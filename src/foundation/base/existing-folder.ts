import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The folder itself, or the first one above it that is there. */
export async function existingFolder(path: string): Promise<string> {
  const folder = resolve(path);
  const entry = await stat(folder).catch(() => undefined);
  return entry?.isDirectory() || folder === dirname(folder) ? folder : await existingFolder(dirname(folder));
}
