import { userError } from "../../../../foundation/base/index.ts";

/** Kinds of fields that proto3 puts on the wire. */
const varint = 0;
const fixed64 = 1;
const delimited = 2;
const fixed32 = 5;

const text = new TextDecoder("utf-8", { fatal: true });
const malformed = (reason: string) =>
  userError("malformed-protobuf", `The body is no protobuf message of the Tinker API: ${reason}.`);

/**
 * Reads the fields of one message in the order in which they lie (protobuf encoding, proto3). Every method but `next`
 * reads the value of the field that `next` found. Throws a user error `malformed-protobuf`.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #kind = varint;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The number of the next field; 0 at the end. */
  next(): number {
    if (this.#at >= this.#bytes.length) return 0;
    const tag = this.#varint();
    this.#kind = tag % 8;
    const field = (tag - this.#kind) / 8;
    if (field < 1 || field > 2 ** 29 - 1) throw malformed(`there is no field ${field}`);
    return field;
  }

  /** An integer, signed or not, that a double holds exactly. */
  integer(): number {
    this.#expect(varint);
    return this.#varint();
  }

  double(): number {
    this.#expect(fixed64);
    return this.#view.getFloat64(this.#skipBytes(8), true);
  }

  /** A view of the body: neither copied nor aligned. */
  bytes(): Uint8Array {
    this.#expect(delimited);
    const length = this.#varint();
    const from = this.#skipBytes(length);
    return this.#bytes.subarray(from, from + length);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return text.decode(bytes);
    } catch {
      throw malformed("a text is not UTF-8");
    }
  }

  message<T>(read: (reader: ProtoReader) => T): T {
    return read(new ProtoReader(this.bytes()));
  }

  /** Integers of a repeated field, packed as proto3 has them, or one alone. */
  integers(into: number[]): void {
    if (this.#kind === varint) {
      into.push(this.#varint());
      return;
    }
    const packed = new ProtoReader(this.bytes());
    while (packed.#at < packed.#bytes.length) into.push(packed.#varint());
  }

  /** Passes over a field that is not wanted. */
  skip(): void {
    if (this.#kind === varint) this.#varint();
    else if (this.#kind === fixed64) this.#skipBytes(8);
    else if (this.#kind === fixed32) this.#skipBytes(4);
    else this.bytes();
  }

  #expect(kind: number): void {
    if (this.#kind !== kind) throw malformed(`a field has wire type ${this.#kind} instead of ${kind}`);
  }

  #skipBytes(length: number): number {
    const from = this.#at;
    if (!(from + length <= this.#bytes.length)) throw malformed("it ends in the middle of a field");
    this.#at = from + length;
    return from;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let place = 0; place < 10; place++, scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed("it ends in the middle of a number");
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      // Ten bytes are a negative one, in two's complement of 64 bits.
      if (place === 9) return negative(this.#bytes.subarray(this.#at - 10, this.#at));
      if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number is out of range");
      return value;
    }
    throw malformed("a number has more than 64 bits");
  }
}

function negative(bytes: Uint8Array): number {
  const value = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
  const signed = Number(BigInt.asIntN(64, value));
  if (!Number.isSafeInteger(signed)) throw malformed("a number is out of range");
  return signed;
}

/** Writes one message; values that proto3 leaves out (zeros, empty texts) are left out here too. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  integer(field: number, value: number): this {
    if (value !== 0) this.#push(Uint8Array.from([...varintOf(tag(field, varint)), ...varintOf(value)]));
    return this;
  }

  double(field: number, value: number): this {
    const head = varintOf(tag(field, fixed64));
    const bytes = new Uint8Array(head.length + 8);
    bytes.set(head);
    new DataView(bytes.buffer).setFloat64(head.length, value, true);
    this.#push(bytes);
    return this;
  }

  /** Written even when empty: that the field is there may say something. Not copied. */
  bytes(field: number, value: Uint8Array): this {
    this.#push(Uint8Array.from([...varintOf(tag(field, delimited)), ...varintOf(value.length)]));
    this.#push(value);
    return this;
  }

  string(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (writer: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    this.#push(Uint8Array.from([...varintOf(tag(field, delimited)), ...varintOf(inner.#length)]));
    for (const part of inner.#parts) this.#push(part);
    return this;
  }

  integers(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    return this.bytes(field, Uint8Array.from(values.flatMap(varintOf)));
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

const tag = (field: number, kind: number): number => field * 8 + kind;

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  if (value < 0) {
    for (let rest = BigInt.asUintN(64, BigInt(value)); rest > 0n; rest >>= 7n)
      bytes.push(Number(rest & 0x7fn) | (rest >= 0x80n ? 0x80 : 0));
    return bytes;
  }
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
