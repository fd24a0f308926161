import { createHash, type Hash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readdirSync, rmSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json, WhetstoneError } from "../base/index.ts";
import { ledgerFault, naming } from "./faults.ts";
import { writeJson } from "./stored-json.ts";

/** Characters that are gathered before they are written: few enough that whoever waits for this thread waits a moment. */
const chunkLength = 1 << 16;

/** Bytes that are read at a time. */
const readLength = 1 << 18;

const lineFeed = 10;

/** How the name of a file ends that is being written. */
const writing = ".writing";

/** Rows, or a page for people. */
export type ArtifactKind = "jsonl" | "html";

/**
 * Large rows, as files of JSON lines named by the SHA-256 of what they hold. A file is written under a temporary name,
 * synced and renamed, so that one which exists is whole; the same content is one file, in whatever order its members were.
 */
export class Artifacts {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Clears away what writers that were killed left half-written; for the one process that owns the folder. */
  sweep(): void {
    naming(this.#folder, () => {
      if (!existsSync(this.#folder)) return;
      for (const name of readdirSync(this.#folder))
        if (name.endsWith(writing)) rmSync(join(this.#folder, name), { force: true });
    });
  }

  pathOf(artifact: string, kind: ArtifactKind = "jsonl"): string {
    return join(this.#folder, `${artifact}.${kind}`);
  }

  /** Stores rows and returns the artifact's name. Throws `no-space`, `folder-unwritable` or `disk-fault`. */
  put(rows: Iterable<Json>): Promise<string> {
    return this.#store(chunksOf(rows), "jsonl");
  }

  /** Stores a page for people in the same way: the name is the SHA-256 of its text. Throws what {@link put} throws. */
  putPage(text: string): Promise<string> {
    return this.#store([text], "html");
  }

  async #store(chunks: Iterable<string>, kind: ArtifactKind): Promise<string> {
    const temporary = join(this.#folder, `.${randomBytes(8).toString("hex")}${writing}`);
    try {
      await mkdir(this.#folder, { recursive: true });
      const hash = createHash("sha256");
      const file = await open(temporary, "wx");
      try {
        for (const chunk of chunks) {
          hash.update(chunk);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const artifact = hash.digest("hex");
      await rename(temporary, this.pathOf(artifact, kind));
      await syncFolder(this.#folder);
      return artifact;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw ledgerFault(error, this.#folder);
    }
  }

  /** Takes an artifact away; nothing where it is gone. For what nothing needs again. */
  async remove(artifact: string, kind: ArtifactKind = "jsonl"): Promise<void> {
    const path = this.pathOf(artifact, kind);
    await rm(path, { force: true }).catch((error: unknown) => {
      throw ledgerFault(error, path);
    });
  }

  /** All rows of an artifact. Throws `artifact-missing`, or `artifact-damaged` when its content is not what its name says. */
  async read(artifact: string): Promise<Json[]> {
    return [...(await this.#rows(artifact, () => true)).values()];
  }

  /** The rows at these places, from 0, by place; those that it has. The whole is looked at, and throws as {@link read} does. */
  readSome(artifact: string, places: ReadonlySet<number>): Promise<Map<number, Json>> {
    return this.#rows(artifact, (place) => places.has(place));
  }

  async #rows(artifact: string, wanted: (place: number) => boolean): Promise<Map<number, Json>> {
    const path = this.pathOf(artifact);
    const hash = createHash("sha256");
    const rows = new Map<number, Json>();
    let readable = true;
    for await (const [place, line] of linesOf(path, hash, wanted)) {
      try {
        rows.set(place, JSON.parse(line) as Json);
      } catch {
        readable = false;
      }
    }
    if (hash.digest("hex") !== artifact || !readable)
      throw damaged("artifact-damaged", path, "does not hold what was written");
    return rows;
  }
}

/**
 * The lines that are wanted, with their places. Lines end at line feeds alone: JSON leaves other separators of lines in its strings
 * as they are, and no character of more than a byte has one in it. What is not wanted is hashed, and no text is made of it.
 */
async function* linesOf(
  path: string,
  hash: Hash,
  wanted: (place: number) => boolean,
): AsyncGenerator<[place: number, line: string]> {
  let place = 0;
  let rest: Buffer[] = [];
  try {
    const chunks = createReadStream(path, { highWaterMark: readLength }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      hash.update(chunk);
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        if (wanted(place)) yield [place, Buffer.concat([...rest, chunk.subarray(start, end)]).toString()];
        rest = [];
        place += 1;
        start = end + 1;
      }
      rest.push(chunk.subarray(start));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw damaged("artifact-missing", path, "is missing");
    throw ledgerFault(error, path);
  }
  const last = Buffer.concat(rest);
  if (last.length > 0 && wanted(place)) yield [place, last.toString()];
}

function* chunksOf(rows: Iterable<Json>): Generator<string> {
  let chunk = "";
  for (const row of rows) {
    chunk += `${writeJson("a row of an artifact", row, canonicalJson)}\n`;
    if (chunk.length >= chunkLength) {
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
