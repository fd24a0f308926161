import type { WhetstoneError } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";

/** The wire of `torch-engine/PROTOCOL.md`: a JSON head and raw little-endian arrays. */
export type Dtype = "i32" | "i64" | "f32" | "u8";
export type FrameArray = Int32Array | BigInt64Array | Float32Array | Uint8Array;

/** One array of a frame, given as parts that lie one after the other in it: packing copies each element once. */
export interface ArrayParts {
  readonly dtype: Dtype;
  readonly parts: readonly FrameArray[];
}

export type FrameArrays = Readonly<Record<string, FrameArray>>;
export type FrameInput = Readonly<Record<string, ArrayParts | undefined>>;
export type FrameHead = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly head: FrameHead;
  readonly arrays: FrameArrays;
}

const elementBytes: Readonly<Record<Dtype, number>> = { i32: 4, i64: 8, f32: 4, u8: 1 };
const prefixBytes = 8;
const limit = 2 ** 31;
const nothing = new Uint8Array(0);
const decoder = new TextDecoder("utf-8", { fatal: true });

const aligned = (offset: number): number => Math.ceil(offset / 8) * 8;

export const i32 = (...parts: readonly Int32Array[]): ArrayParts => ({ dtype: "i32", parts });
export const f32 = (...parts: readonly Float32Array[]): ArrayParts => ({ dtype: "f32", parts });
export const u8 = (...parts: readonly Uint8Array[]): ArrayParts => ({ dtype: "u8", parts });
export const i64 = (...parts: readonly BigInt64Array[]): ArrayParts => ({ dtype: "i64", parts });

/**
 * One frame as bytes. The head is filled up with spaces to a multiple of 8 bytes, which JSON allows, so that arrays are
 * aligned in memory for whoever reads the frame whole. Throws `bad-request` where a number has no JSON form, which
 * JSON.stringify would turn into `null`, and that into a default.
 */
export function encodeFrame(head: FrameHead, arrays: FrameInput = {}): Uint8Array<ArrayBuffer> {
  const listed: { name: string; dtype: Dtype; length: number }[] = [];
  const placed: { offset: number; parts: readonly FrameArray[] }[] = [];
  let bodyBytes = 0;
  for (const [name, array] of Object.entries(arrays)) {
    if (array === undefined) continue;
    const length = array.parts.reduce((sum, part) => sum + part.length, 0);
    const offset = aligned(bodyBytes);
    listed.push({ name, dtype: array.dtype, length });
    placed.push({ offset, parts: array.parts });
    bodyBytes = offset + length * elementBytes[array.dtype];
  }
  const text = textOf(listed.length === 0 ? head : { ...head, arrays: listed });
  const textBytes = Buffer.byteLength(text);
  const headBytes = aligned(textBytes);
  if (headBytes >= limit || bodyBytes >= limit)
    throw engineError(
      "bad-request",
      `A call of ${headBytes + bodyBytes} bytes is more than a frame holds; divide it.`,
    );
  const start = prefixBytes + headBytes;
  const frame = Buffer.allocUnsafe(start + bodyBytes);
  frame.writeUInt32LE(headBytes, 0);
  frame.writeUInt32LE(bodyBytes, 4);
  frame.write(text, prefixBytes);
  frame.fill(" ", prefixBytes + textBytes, start);
  let end = start;
  for (const { offset, parts } of placed) {
    frame.fill(0, end, start + offset);
    end = start + offset;
    for (const part of parts) {
      frame.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), end);
      end += part.byteLength;
    }
  }
  return frame;
}

/** A number without a JSON form becomes `null`, so only a text with one is looked through. */
function textOf(head: FrameHead): string {
  const text = JSON.stringify(head);
  return text.includes("null") ? JSON.stringify(head, refuseNonFinite) : text;
}

function refuseNonFinite(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw engineError("bad-request", `"${key}" is ${value}; the engine takes finite numbers only.`);
  return value;
}

/**
 * Puts frames together from the pieces in which a socket delivers them. A body gets a buffer of its own, so its arrays
 * are aligned views of it and are never copied again.
 */
export class FrameReader {
  readonly #prefix = new Uint8Array(prefixBytes);
  #head: Uint8Array<ArrayBuffer> | undefined;
  #body = nothing;
  #filled = 0;

  /** The frames that this piece completes. Throws `broken-frame`; the reader is of no use afterwards. */
  push(piece: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    // A frame may end exactly with its prefix's last byte (an empty body), so it is looked for after each copy.
    while (at < piece.length) {
      if (this.#head === undefined) {
        const whole = this.#filled === 0 ? wholeFrame(piece, at) : undefined;
        if (whole !== undefined) {
          frames.push(whole.frame);
          at = whole.end;
          continue;
        }
        at += this.#fill(this.#prefix, 0, piece, at);
        if (this.#filled === prefixBytes) this.#begin();
      } else {
        const { length } = this.#head;
        at +=
          this.#filled < length
            ? this.#fill(this.#head, 0, piece, at)
            : this.#fill(this.#body, length, piece, at);
      }
      if (this.#head !== undefined && this.#filled === this.#head.length + this.#body.length)
        frames.push(this.#finish(this.#head));
    }
    return frames;
  }

  #fill(target: Uint8Array, base: number, piece: Uint8Array, at: number): number {
    const taken = Math.min(target.length + base - this.#filled, piece.length - at);
    target.set(piece.subarray(at, at + taken), this.#filled - base);
    this.#filled += taken;
    return taken;
  }

  #begin(): void {
    const { headBytes, bodyBytes } = sizesAt(this.#prefix, 0);
    this.#head = new Uint8Array(headBytes);
    this.#body = new Uint8Array(bodyBytes);
    this.#filled = 0;
  }

  #finish(head: Uint8Array): Frame {
    const body = this.#body;
    this.#head = undefined;
    this.#body = nothing;
    this.#filled = 0;
    return frameOf(head, body);
  }
}

/** The frame at a place of a piece, where the piece holds all of it: of what a socket delivers, most is so. */
function wholeFrame(
  piece: Uint8Array,
  at: number,
): { readonly frame: Frame; readonly end: number } | undefined {
  const start = at + prefixBytes;
  if (start > piece.length) return undefined;
  const { headBytes, bodyBytes } = sizesAt(piece, at);
  const middle = start + headBytes;
  const end = middle + bodyBytes;
  if (end > piece.length) return undefined;
  const body = bodyBytes === 0 ? nothing : new Uint8Array(piece.subarray(middle, end));
  return { frame: frameOf(piece.subarray(start, middle), body), end };
}

function sizesAt(bytes: Uint8Array, at: number): { readonly headBytes: number; readonly bodyBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, prefixBytes);
  const headBytes = view.getUint32(0, true);
  const bodyBytes = view.getUint32(4, true);
  if (headBytes >= limit || bodyBytes >= limit)
    throw brokenFrame(`it announces ${headBytes} and ${bodyBytes} bytes`);
  return { headBytes, bodyBytes };
}

function frameOf(headBytes: Uint8Array, body: Uint8Array<ArrayBuffer>): Frame {
  const { arrays, ...head } = parseHead(headBytes);
  return { head, arrays: Object.freeze(viewArrays(arrays, body)) };
}

function parseHead(bytes: Uint8Array): Record<string, unknown> {
  try {
    const head: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof head === "object" && head !== null && !Array.isArray(head))
      return head as Record<string, unknown>;
  } catch (error) {
    throw brokenFrame(String(error));
  }
  throw brokenFrame("its head is no JSON object");
}

function viewArrays(listed: unknown, body: Uint8Array<ArrayBuffer>): Record<string, FrameArray> {
  const arrays: Record<string, FrameArray> = {};
  let end = 0;
  for (const { name, dtype, length } of (listed ?? []) as { name: string; dtype: Dtype; length: number }[]) {
    // An empty array takes no bytes, not even the gap before it.
    const offset = length === 0 ? end : aligned(end);
    end = offset + length * (elementBytes[dtype] ?? Number.NaN);
    if (!(Number.isInteger(length) && length >= 0 && end <= body.length))
      throw brokenFrame(`its array ${name} does not fit`);
    arrays[name] = viewOf(dtype, body.buffer, length === 0 ? 0 : offset, length);
  }
  if (body.length > aligned(end)) throw brokenFrame(`its arrays cover ${end} of ${body.length} bytes`);
  return arrays;
}

function viewOf(dtype: Dtype, buffer: ArrayBuffer, offset: number, length: number): FrameArray {
  switch (dtype) {
    case "i32":
      return new Int32Array(buffer, offset, length);
    case "i64":
      return new BigInt64Array(buffer, offset, length);
    case "f32":
      return new Float32Array(buffer, offset, length);
    case "u8":
      return new Uint8Array(buffer, offset, length);
  }
}

function brokenFrame(reason: string): WhetstoneError {
  return engineError("broken-frame", `The engine's worker sent a broken frame: ${reason}.`);
}
