import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Feeds a file into a digest. */
export async function digestFile(digest: Hash, path: string, signal?: AbortSignal): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, ...(signal ? { signal } : {}) }))
    digest.update(chunk as Buffer);
}

/** SHA-256 of files one after the other, in lower-case hexadecimal. */
export async function sha256OfFiles(paths: readonly string[], signal?: AbortSignal): Promise<string> {
  const digest = createHash("sha256");
  for (const path of paths) await digestFile(digest, path, signal);
  return digest.digest("hex");
}
