import { StringDecoder } from "node:string_decoder";

/** Cuts a stream of bytes into lines, and holds no more of an unfinished one than it may. */
export class LineReader {
  readonly #mostBytes: number;
  readonly #decoder = new StringDecoder("utf8");
  #pieces: string[] = [];
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The lines that a piece completes, without their ends; `tooLong` once a line has more bytes than are allowed. */
  push(piece: Buffer): { readonly lines: readonly string[]; readonly tooLong: boolean } {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = piece.indexOf(10, start);
      const stop = end < 0 ? piece.length : end;
      this.#bytes += stop - start;
      if (this.#bytes > this.#mostBytes) return { lines, tooLong: true };
      this.#pieces.push(this.#decoder.write(piece.subarray(start, stop)));
      if (end < 0) return { lines, tooLong: false };
      lines.push(this.#pieces.join("") + this.#decoder.end());
      this.#pieces = [];
      this.#bytes = 0;
      start = end + 1;
    }
  }
}
