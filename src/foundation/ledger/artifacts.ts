import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { type Json, WhetstoneError } from "../base/index.ts";
import { ledgerFault } from "./faults.ts";

/** Bytes that are gathered before they are written. */
const chunkBytes = 1 << 20;

/**
 * Large rows, as files of JSON lines named by the SHA-256 of what they hold. A file is written under a temporary name,
 * synced and renamed, so that one which exists is whole; the same content is one file.
 */
export class Artifacts {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(artifact: string): string {
    return join(this.#folder, `${artifact}.jsonl`);
  }

  /** Stores rows and returns the artifact's name. Throws `no-space`, `folder-unwritable` or `disk-fault`. */
  async put(rows: Iterable<Json>): Promise<string> {
    const temporary = join(this.#folder, `.${randomBytes(8).toString("hex")}.writing`);
    try {
      await mkdir(this.#folder, { recursive: true });
      const hash = createHash("sha256");
      const file = await open(temporary, "wx");
      try {
        for (const chunk of chunksOf(rows)) {
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const artifact = hash.digest("hex");
      await rename(temporary, this.pathOf(artifact));
      await syncFolder(dirname(this.pathOf(artifact)));
      return artifact;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw ledgerFault(error, this.#folder);
    }
  }

  /** All rows of an artifact. Throws `artifact-missing`, or `artifact-damaged` when its content is not what its name says. */
  async read(artifact: string): Promise<Json[]> {
    const path = this.pathOf(artifact);
    if ((await stat(path).catch(() => undefined)) === undefined)
      throw damaged("artifact-missing", path, "is missing");
    const hash = createHash("sha256");
    const stream = createReadStream(path);
    stream.on("data", (chunk) => hash.update(chunk));
    const rows: Json[] = [];
    let readable = true;
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      try {
        rows.push(JSON.parse(line) as Json);
      } catch {
        readable = false;
      }
    }
    if (hash.digest("hex") !== artifact || !readable)
      throw damaged("artifact-damaged", path, "does not hold what was written");
    return rows;
  }
}

function* chunksOf(rows: Iterable<Json>): Generator<string> {
  let chunk = "";
  for (const row of rows) {
    chunk += `${JSON.stringify(row)}\n`;
    if (chunk.length >= chunkBytes) {
      yield chunk;
      chunk = "";
    }
  }
  if (chunk !== "") yield chunk;
}

/** A rename is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function damaged(code: string, path: string, what: string): WhetstoneError {
  return new WhetstoneError({
    code,
    category: "environment",
    message: `${path} ${what}: restore it from a copy, or move the folder .whetstone away to start anew.`,
    details: { path },
  });
}
