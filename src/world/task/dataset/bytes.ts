import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { userError, type WhetstoneError } from "../../../foundation/base/index.ts";
import { mostRowBytes } from "./row.ts";

export type Bytes = AsyncIterable<Buffer>;

export interface DataFile {
  readonly path: string;
  /** For people: its name without folders. */
  readonly name: string;
  readonly gzip: boolean;
}

/** A file that cannot be read at all, or not to its end. */
export function unreadable({ name, path }: DataFile, why: string): WhetstoneError {
  return userError("dataset-unreadable", `${name} cannot be read: ${why}`, { file: path });
}

/**
 * A text file's bytes in pieces, unpacked, without a byte order mark. Throws `dataset-unreadable` for UTF-16 and for a
 * packed file that is broken.
 */
export async function* bytesOf(file: DataFile): AsyncGenerator<Buffer> {
  const stream = createReadStream(file.path, { highWaterMark: 2 ** 18 });
  const unpacked = file.gzip ? stream.pipe(createGunzip()) : stream;
  stream.on("error", (error) => unpacked.destroy(error));
  let first = true;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      yield first ? withoutMark(file, chunk) : chunk;
      first = false;
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!code.startsWith("Z_")) throw error;
    throw unreadable(file, "its gzip packing is broken or cut off; pack it again, or unpack it first.");
  } finally {
    stream.destroy();
  }
}

function withoutMark(file: DataFile, chunk: Buffer): Buffer {
  const [one, two, three] = chunk;
  if ((one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff))
    throw unreadable(file, "it is UTF-16; save it as UTF-8.");
  return one === 0xef && two === 0xbb && three === 0xbf ? chunk.subarray(3) : chunk;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes; undefined where they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Collects the pieces of one row, and lets go of them once they are more than a row may have. */
export class RowBytes {
  #pieces: Buffer[] = [];
  #length = 0;

  get empty(): boolean {
    return this.#length === 0;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.tooLong) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  get tooLong(): boolean {
    return this.#length > mostRowBytes;
  }

  /** All bytes so far; begins anew. Null for a row that was too long. */
  take(): Buffer | null {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    const { tooLong } = this;
    this.#pieces = [];
    this.#length = 0;
    return tooLong ? null : all;
  }
}
