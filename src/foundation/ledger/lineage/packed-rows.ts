import type { TrainedExample } from "../../contract/index.ts";

/**
 * The examples of a record, packed: 32 bytes each. Four 32-bit numbers are its identity, then its origin, how often it was learnt
 * from, and a number each for its prompt and its answer. A million of them are searched in a twentieth of a second, and cost next to
 * nothing to write, which an index of SQLite's does not.
 */
const words = 8;
const at = { origin: 4, times: 5, prompt: 6, answer: 7 } as const;

export function packRows(
  examples: readonly TrainedExample[],
  originOf: (example: TrainedExample) => number,
): Uint8Array {
  const bytes = Buffer.alloc(examples.length * words * 4);
  const numbers = new Uint32Array(bytes.buffer, bytes.byteOffset, examples.length * words);
  for (const [place, example] of examples.entries()) {
    const first = place * words;
    bytes.write(example.id, first * 4, "hex");
    numbers[first + at.origin] = originOf(example);
    numbers[first + at.times] = example.times;
    numbers[first + at.prompt] = textNumber(example.prompt);
    numbers[first + at.answer] = textNumber(example.answer);
  }
  return bytes;
}

/** Packed rows, to be gone through by place. */
export class PackedRows {
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #numbers: Uint32Array;

  constructor(packed: Uint8Array) {
    // Numbers begin at a multiple of four bytes: a copy does.
    const { buffer, byteOffset, byteLength } = packed.byteOffset % 4 === 0 ? packed : packed.slice();
    this.length = Math.floor(byteLength / (words * 4));
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#numbers = new Uint32Array(buffer, byteOffset, this.length * words);
  }

  id(place: number): string {
    return this.#bytes.toString("hex", place * words * 4, place * words * 4 + 16);
  }

  origin(place: number): number {
    return this.#numbers[place * words + at.origin] as number;
  }

  times(place: number): number {
    return this.#numbers[place * words + at.times] as number;
  }

  /** 53 bits of the identity: what tells examples apart where many are counted. */
  key(place: number): number {
    const first = place * words;
    return (this.#numbers[first] as number) * 2 ** 21 + ((this.#numbers[first + 1] as number) >>> 11);
  }

  /** Places whose identity begins with these hexadecimal digits. */
  *placesOf(beginning: string): Generator<number> {
    const digits = Math.min(8, beginning.length);
    const bytes = (fill: string): number =>
      Buffer.from(beginning.slice(0, digits).padEnd(8, fill), "hex").readUInt32LE();
    const value = bytes("0");
    const mask = Buffer.from("f".repeat(digits).padEnd(8, "0"), "hex").readUInt32LE() | 0;
    for (let place = 0; place < this.length; place++)
      if (
        ((this.#numbers[place * words] as number) & mask) >>> 0 === value &&
        this.id(place).startsWith(beginning)
      )
        yield place;
  }

  /** Places whose prompt or answer has this number. */
  *placesWith(as: "prompt" | "answer", text: number): Generator<number> {
    for (let index = at[as]; index < this.length * words; index += words)
      if (this.#numbers[index] === text) yield (index - at[as]) / words;
  }
}

/** Texts are found by a number of 32 bits (FNV-1a over UTF-16 units); those that share one are told apart by what they say. */
export function textNumber(text: string): number {
  const trimmed = text.trim();
  let number = 0x811c9dc5;
  for (let index = 0; index < trimmed.length; index++)
    number = Math.imul(number ^ trimmed.charCodeAt(index), 0x01000193);
  return number >>> 0;
}
