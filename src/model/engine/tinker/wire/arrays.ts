import { userError } from "../../../../foundation/base/index.ts";
import { ProtoReader, ProtoWriter } from "./protobuf.ts";
import { bytesOf, dtypeOf, floatsFrom, numberOfDtype } from "./tensor.ts";

/** Lists of vectors (float32) by name, each list as long as what was asked about: the API's `ArrayRecord`. */
export type WireArrays = Readonly<Record<string, readonly Float32Array[]>>;

/** An answer of arrays and nothing else. */
export function writeArrays(arrays: WireArrays): Uint8Array {
  return addArrays(new ProtoWriter(), arrays).finish();
}

/** Throws user errors `malformed-protobuf` and `wrong-dtype`. */
export function readArrays(bytes: Uint8Array): WireArrays {
  const reader = new ProtoReader(bytes);
  const arrays = new Map<string, readonly Float32Array[]>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 2) reader.skip();
    else
      for (const [name, value] of reader.message(readRecord))
        arrays.set(name, vectorsOf(new ProtoReader(value)));
  }
  return Object.fromEntries(arrays);
}

/** The fields of an answer that hold its arrays. */
export function addArrays(writer: ProtoWriter, arrays: WireArrays): ProtoWriter {
  const [first = []] = Object.values(arrays);
  return writer.string(1, "ArrayRecord").message(2, (record) => {
    record.string(1, "ArrayRecord");
    for (const [name, vectors] of Object.entries(arrays))
      record.message(2, (entry) =>
        entry.string(1, name).message(2, (tensor) => writeVectors(tensor, vectors)),
      );
    record.integer(3, first.length);
  });
}

function writeVectors(tensor: ProtoWriter, vectors: readonly Float32Array[]): void {
  const offsets = new BigInt64Array(vectors.length + 1);
  let at = 0;
  for (const [index, values] of vectors.entries()) {
    at += values.byteLength;
    offsets[index + 1] = BigInt(at);
  }
  tensor.bytes(1, Buffer.concat(vectors.map(bytesOf), at)).bytes(2, bytesOf(offsets));
  tensor.integer(3, numberOfDtype("float32"));
}

/** The entries of one record, each not yet taken apart: a server may add some of other types. */
export function readRecord(reader: ProtoReader): ReadonlyMap<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 2) {
      reader.skip();
      continue;
    }
    const [name, value] = reader.message((entry) => readEntry(entry, (inner) => inner.bytes()));
    if (value !== undefined) entries.set(name, value);
  }
  return entries;
}

/** Vectors that lie one behind the other, with where each begins and ends. */
export function vectorsOf(reader: ProtoReader): Float32Array[] {
  let [data, ends] = [new Uint8Array(0), new BigInt64Array(0)];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) data = Uint8Array.from(reader.bytes());
    else if (field === 2) {
      const raw = Uint8Array.from(reader.bytes());
      ends = new BigInt64Array(raw.buffer, 0, raw.length >> 3);
    } else if (field === 3) {
      const dtype = dtypeOf(reader.integer());
      if (dtype !== "float32") throw userError("wrong-dtype", `The server's arrays are ${dtype}.`);
    } else reader.skip();
  }
  return Array.from({ length: Math.max(0, ends.length - 1) }, (_, index) =>
    floatsFrom(data.subarray(Number(ends[index]), Number(ends[index + 1]))),
  );
}

type Entry<T> = readonly [name: string, value: T | undefined];

/** One entry of a map. */
export function readEntry<T>(reader: ProtoReader, read: (reader: ProtoReader) => T): Entry<T> {
  let name = "";
  let value: T | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) value = read(reader);
    else reader.skip();
  }
  return [name, value];
}
