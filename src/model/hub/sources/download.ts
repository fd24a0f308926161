import { createHash } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { digestFile, WhetstoneError } from "../../../foundation/base/index.ts";
import type { HubFile } from "./hub-files.ts";

export interface DownloadOptions {
  readonly file: HubFile;
  /** Where the whole file will lie. */
  readonly path: string;
  readonly token?: string | undefined;
  /** Bytes of this file that are there. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** A connection on which nothing comes for so long is given up. */
const silenceMs = 30_000;

/**
 * Fetches a file, going on behind what an earlier attempt has brought, and renames it when size and digest are right. Throws
 * `download-failed`.
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { file, path, onProgress, signal } = options;
  if ((await sizeOf(path)) === file.size) return onProgress?.(file.size);
  const part = join(dirname(path), `${basename(path)}.part`);
  if ((await sizeOf(part)) > file.size) await rm(part);
  if ((await sizeOf(part)) < file.size) await fetchRest(options, part, await sizeOf(part));
  const size = await sizeOf(part);
  if (size < file.size) throw failed(file, `it ended after ${size} of ${file.size} bytes`);
  if ((await digestOf(part, file, signal)) !== file.digest.value) {
    await rm(part);
    throw failed(file, "what came is not what was announced");
  }
  await rename(part, path);
}

async function fetchRest(
  { file, token, onProgress, signal }: DownloadOptions,
  part: string,
  there: number,
): Promise<void> {
  using silence = silenceWatch(signal);
  const response = await fetch(file.url, {
    signal: silence.signal,
    headers: {
      ...(there > 0 ? { Range: `bytes=${there}-` } : {}),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
  });
  if (!response.ok || response.body === null) throw failed(file, `the answer was ${response.status}`);
  const goesOn = response.status === 206;
  await using target = await open(part, goesOn ? "a" : "w");
  let bytes = goesOn ? there : 0;
  for await (const chunk of response.body) {
    silence.heard();
    await target.writeFile(chunk);
    bytes += chunk.length;
    onProgress?.(bytes);
  }
  await target.sync();
}

/** A signal that aborts with the given one, or when nothing has been heard for too long. */
function silenceWatch(signal?: AbortSignal): Disposable & { signal: AbortSignal; heard(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("nothing came for 30 seconds")), silenceMs);
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    heard: () => void timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

async function digestOf(path: string, { digest, size }: HubFile, signal?: AbortSignal): Promise<string> {
  const hash = createHash(digest.kind === "git" ? "sha1" : "sha256");
  if (digest.kind === "git") hash.update(`blob ${size}\0`);
  await digestFile(hash, path, signal);
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function failed({ path }: HubFile, reason: string): WhetstoneError {
  return new WhetstoneError({
    code: "download-failed",
    category: "environment",
    message: `${path} could not be downloaded: ${reason}. The same command goes on from there.`,
    details: { path },
  });
}
