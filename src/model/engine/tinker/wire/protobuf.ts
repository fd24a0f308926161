import { userError } from "../../../../foundation/base/index.ts";

/** Kinds of fields that proto3 puts on the wire. */
const varint = 0;
const fixed64 = 1;
const delimited = 2;
const fixed32 = 5;

/** Texts are names: of more bytes than this none is one. */
const longestText = 4096;

const text = new TextDecoder("utf-8", { fatal: true });
const malformed = (reason: string) =>
  userError("malformed-protobuf", `The body is no protobuf message of the Tinker API: ${reason}.`);

/**
 * Reads the fields of one message in the order in which they lie (protobuf encoding, proto3). Every method but `next`
 * reads the value of the field that `next` found. Throws a user error `malformed-protobuf`.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  /** Where the message ends that is being read: inside it, or all of it. */
  #end: number;
  #at = 0;
  #kind = varint;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** The number of the next field; 0 at the end. */
  next(): number {
    if (this.#at >= this.#end) return 0;
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
    const from = this.#pass(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, 8).getFloat64(0, true);
  }

  /** A view of the body: neither copied nor aligned. */
  bytes(): Uint8Array {
    const from = this.#delimited();
    return this.#bytes.subarray(from, this.#at);
  }

  string(): string {
    const from = this.#delimited();
    if (this.#at - from > longestText) throw malformed(`a text has more than ${longestText} bytes`);
    let word = "";
    // Names are short and plain, and a decoder costs more than they do.
    for (let at = from; at < this.#at; at++) {
      const byte = this.#bytes[at] as number;
      if (byte >= 0x80 || at - from > 64) return decoded(this.#bytes.subarray(from, this.#at));
      word += String.fromCharCode(byte);
    }
    return word;
  }

  /** What `read` makes of the message inside: it sees that one only. */
  message<T>(read: (reader: ProtoReader) => T): T {
    const from = this.#delimited();
    const after = this.#at;
    const end = this.#end;
    this.#at = from;
    this.#end = after;
    const value = read(this);
    this.#at = after;
    this.#end = end;
    return value;
  }

  /** Integers of a repeated field, packed as proto3 has them, or one alone; `most` of them in all. */
  integers(into: number[], most: number): void {
    const add = (): void => checkCount(into.push(this.#varint()), most, "integers in one field");
    if (this.#kind === varint) add();
    else
      this.message(() => {
        while (this.#at < this.#end) add();
      });
  }

  /** Passes over a field that is not wanted. */
  skip(): void {
    if (this.#kind === varint) this.#varint();
    else if (this.#kind === fixed64) this.#pass(8);
    else if (this.#kind === fixed32) this.#pass(4);
    else this.#delimited();
  }

  #expect(kind: number): void {
    if (this.#kind !== kind) throw malformed(`a field has wire type ${this.#kind} instead of ${kind}`);
  }

  /** Passes over bytes that say how many they are; returns where they begin. */
  #delimited(): number {
    this.#expect(delimited);
    return this.#pass(this.#varint());
  }

  #pass(length: number): number {
    const from = this.#at;
    if (!(length >= 0 && from + length <= this.#end)) throw malformed("it ends in the middle of a field");
    this.#at = from + length;
    return from;
  }

  #varint(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let value = 0;
    let scale = 1;
    for (let place = 0; place < 10; place++, scale *= 128) {
      if (this.#at >= end) throw malformed("it ends in the middle of a number");
      const byte = bytes[this.#at++] as number;
      if (byte < 0x80 && place === 0) return byte;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      // Ten bytes are a negative one, in two's complement of 64 bits.
      if (place === 9) return negative(bytes.subarray(this.#at - 10, this.#at));
      if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number is out of range");
      return value;
    }
    throw malformed("a number has more than 64 bits");
  }
}

/**
 * Throws a user error `malformed-protobuf` where there are more members than mean anything: one may be two bytes of the body, and
 * hundreds here.
 */
export function checkCount(count: number, most: number, what: string): void {
  if (count > most) throw malformed(`it has more than ${most} ${what}`);
}

function decoded(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch {
    throw malformed("a text is not UTF-8");
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
    if (value !== 0) this.#numbers(field * 8 + varint, value);
    return this;
  }

  double(field: number, value: number): this {
    this.#numbers(field * 8 + fixed64);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#push(bytes);
    return this;
  }

  /** Written even when empty: that the field is there may say something. Not copied. */
  bytes(field: number, value: Uint8Array): this {
    this.#numbers(field * 8 + delimited, value.length);
    this.#push(value);
    return this;
  }

  string(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, Buffer.from(value));
  }

  message(field: number, write: (writer: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    this.#numbers(field * 8 + delimited, inner.#length);
    for (const part of inner.#parts) this.#push(part);
    return this;
  }

  integers(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    const packed: number[] = [];
    for (const value of values) addVarint(packed, value);
    return this.bytes(field, Uint8Array.from(packed));
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }

  /** A tag, and what follows it as a number. */
  #numbers(tag: number, value?: number): void {
    const bytes: number[] = [];
    addVarint(bytes, tag);
    if (value !== undefined) addVarint(bytes, value);
    this.#push(Uint8Array.from(bytes));
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

function addVarint(bytes: number[], value: number): void {
  if (value < 0) {
    for (let rest = BigInt.asUintN(64, BigInt(value)); rest > 0n; rest >>= 7n)
      bytes.push(Number(rest & 0x7fn) | (rest >= 0x80n ? 0x80 : 0));
    return;
  }
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
