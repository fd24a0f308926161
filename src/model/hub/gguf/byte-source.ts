import { fstatSync, readSync } from "node:fs";
import { truncatedGguf } from "./gguf-error.ts";

const chunkBytes = 2 ** 20;

/** Reads little-endian values of an open file one after the other. Throws `gguf-truncated` where the file ends too early. */
export class ByteSource {
  readonly size: number;
  readonly #path: string;
  readonly #file: number;
  #chunk = Buffer.alloc(0);
  /** Of the file, where the chunk begins; and of the chunk, where the next value does. */
  #begin = 0;
  #at = 0;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    this.size = fstatSync(file).size;
  }

  get position(): number {
    return this.#begin + this.#at;
  }

  /** How many more values of at least that many bytes there can be. */
  mayHold(count: number, bytes: number): void {
    if (count * bytes > this.size - this.position) throw truncatedGguf(this.#path, this.size);
  }

  u8 = (): number => this.#take(1, (chunk, at) => chunk.readUInt8(at));
  i8 = (): number => this.#take(1, (chunk, at) => chunk.readInt8(at));
  u16 = (): number => this.#take(2, (chunk, at) => chunk.readUInt16LE(at));
  i16 = (): number => this.#take(2, (chunk, at) => chunk.readInt16LE(at));
  u32 = (): number => this.#take(4, (chunk, at) => chunk.readUInt32LE(at));
  i32 = (): number => this.#take(4, (chunk, at) => chunk.readInt32LE(at));
  f32 = (): number => this.#take(4, (chunk, at) => chunk.readFloatLE(at));
  u64 = (): number => this.#take(8, (chunk, at) => Number(chunk.readBigUInt64LE(at)));
  i64 = (): number => this.#take(8, (chunk, at) => Number(chunk.readBigInt64LE(at)));
  f64 = (): number => this.#take(8, (chunk, at) => chunk.readDoubleLE(at));

  text = (): string => {
    const bytes = this.u64();
    return this.#take(bytes, (chunk, at) => chunk.toString("utf8", at, at + bytes));
  };

  /** Makes sure that so many bytes lie in the chunk, reads them there, and goes on behind them. */
  #take<T>(bytes: number, read: (chunk: Buffer, at: number) => T): T {
    if (this.#at + bytes > this.#chunk.length) this.#read(bytes);
    const value = read(this.#chunk, this.#at);
    this.#at += bytes;
    return value;
  }

  #read(bytes: number): void {
    this.mayHold(1, bytes);
    const begin = this.position;
    const chunk = Buffer.alloc(Math.min(Math.max(bytes, chunkBytes), this.size - begin));
    let filled = 0;
    while (filled < chunk.length) {
      const read = readSync(this.#file, chunk, filled, chunk.length - filled, begin + filled);
      if (read === 0) throw truncatedGguf(this.#path, begin + filled);
      filled += read;
    }
    this.#chunk = chunk;
    this.#begin = begin;
    this.#at = 0;
  }
}
