import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import {
  type ArrayParts,
  encodeFrame,
  type Frame,
  type FrameArray,
  FrameReader,
  f32,
  i32,
  i64,
  u8,
} from "./frames.ts";

const arrayParts: fc.Arbitrary<ArrayParts> = fc.oneof(
  fc.array(fc.int32Array({ maxLength: 9 }), { maxLength: 4 }).map((parts) => i32(...parts)),
  fc.array(fc.float32Array({ maxLength: 9 }), { maxLength: 4 }).map((parts) => f32(...parts)),
  fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 4 }).map((parts) => u8(...parts)),
  fc.array(fc.bigInt64Array({ maxLength: 9 }), { maxLength: 4 }).map((parts) => i64(...parts)),
);
const content = fc.record({
  text: fc.string({ unit: "grapheme" }),
  number: fc.integer(),
  arrays: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), arrayParts, { maxKeys: 5 }),
});

const bytesOf = (array: FrameArray): number[] => [
  ...new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
];
const joined = ({ parts }: ArrayParts): number[] => parts.flatMap(bytesOf);

/** Delivers bytes in pieces that end at the given places. */
function readInPieces(bytes: Uint8Array, cuts: readonly number[]): Frame[] {
  const reader = new FrameReader();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.flatMap((end, index) => reader.push(bytes.subarray(ends[index - 1] ?? 0, end)));
}

function concatenated(frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(frames));
}

describe("frames", () => {
  test.prop([fc.array(content, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { maxLength: 12 })])(
    "come back equal, however the socket cuts them",
    (contents, cuts) => {
      const bytes = concatenated(
        contents.map(({ text, number, arrays }) => encodeFrame({ text, number }, arrays)),
      );
      const frames = readInPieces(bytes, cuts);
      expect(frames).toHaveLength(contents.length);
      for (const [index, { text, number, arrays }] of contents.entries()) {
        expect(frames[index]?.head).toEqual({ text, number });
        expect(Object.keys(frames[index]?.arrays ?? {})).toEqual(Object.keys(arrays));
        for (const [name, array] of Object.entries(arrays))
          expect(bytesOf(frames[index]?.arrays[name] as FrameArray)).toEqual(joined(array));
      }
    },
  );

  test.prop([content])("follow the alignment of the protocol byte by byte", ({ text, number, arrays }) => {
    const frame = encodeFrame({ text, number }, arrays);
    const view = new DataView(frame.buffer, frame.byteOffset);
    const headBytes = view.getUint32(0, true);
    expect(frame.length).toBe(8 + headBytes + view.getUint32(4, true));
    const head = JSON.parse(new TextDecoder().decode(frame.subarray(8, 8 + headBytes)));
    const body = frame.subarray(8 + headBytes);
    const written = new Uint8Array(body.length);
    let offset = 0;
    for (const { name, dtype, length } of head.arrays ?? []) {
      offset = Math.ceil(offset / 8) * 8;
      const expected = joined(arrays[name] as ArrayParts);
      expect(expected).toHaveLength(length * { i32: 4, i64: 8, f32: 4, u8: 1 }[dtype as "i32"]);
      expect([...body.subarray(offset, offset + expected.length)]).toEqual(expected);
      written.set(expected, offset);
      offset += expected.length;
    }
    // The gaps are zeros.
    expect([...body]).toEqual([...written]);
  });

  test("gives arrays as aligned views of one buffer, without a copy", () => {
    const bytes = encodeFrame(
      { id: 1 },
      { reasons: u8(Uint8Array.of(1, 0, 1)), seeds: i64(BigInt64Array.of(-5n)) },
    );
    const [frame] = new FrameReader().push(bytes);
    expect(frame?.arrays).toEqual({ reasons: Uint8Array.of(1, 0, 1), seeds: BigInt64Array.of(-5n) });
    expect(frame?.arrays.seeds?.byteOffset).toBe(8);
    expect(frame?.arrays.seeds?.buffer).toBe(frame?.arrays.reasons?.buffer);
  });

  test("reads a head that the sender did not fill up to a multiple of 8", () => {
    const head = new TextEncoder().encode('{"id":7,"arrays":[{"name":"x","dtype":"i32","length":1}]}');
    const bytes = new Uint8Array(8 + head.length + 4);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, head.length, true);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, 4, true);
    bytes.set(head, 8);
    bytes[8 + head.length] = 42;
    expect(new FrameReader().push(bytes)).toEqual([{ head: { id: 7 }, arrays: { x: Int32Array.of(42) } }]);
  });

  test.prop([fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)])(
    "refuse a number that JSON would turn into null",
    (value) => {
      expect(() => encodeFrame({ loss: { clipHigh: value } })).toThrow(
        expect.objectContaining({ code: "bad-request", message: expect.stringContaining("clipHigh") }),
      );
    },
  );

  test.each([
    ["a count of 2^31", (bytes: Uint8Array) => (bytes[3] = 0x80)],
    ["a head that is no JSON", (bytes: Uint8Array) => (bytes[8] = 0x58)],
    ["more body than arrays", (bytes: Uint8Array) => (bytes[4] = (bytes[4] ?? 0) + 8)],
    ["less body than arrays", (bytes: Uint8Array) => (bytes[4] = (bytes[4] ?? 0) - 8)],
  ])("with %s are broken", (_, spoil) => {
    const bytes = encodeFrame({ id: 1 }, { x: f32(Float32Array.of(1, 2, 3, 4)) });
    spoil(bytes);
    const reader = new FrameReader();
    expect(() => reader.push(concatenated([bytes, new Uint8Array(8)]))).toThrow(
      expect.objectContaining({ code: "broken-frame", category: "engine" }),
    );
  });
});
