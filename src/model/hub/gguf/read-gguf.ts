import { closeSync, openSync } from "node:fs";
import { messageOf, userError } from "../../../foundation/base/index.ts";
import { ByteSource } from "./byte-source.ts";
import { invalidGguf, truncatedGguf, unsupportedGguf } from "./gguf-error.ts";
import { quantisationName, quantisations } from "./quantisations.ts";

export type GgufValue = number | boolean | string | readonly GgufValue[];

export interface GgufTensor {
  readonly name: string;
  /** Its kind of storage, by number: {@link quantisations}. */
  readonly type: number;
  /** As PyTorch says it: the last dimension lies together. */
  readonly shape: readonly number[];
  /** Of its first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** What stands before the numbers in a GGUF file (ggml, `docs/gguf.md`), versions 2 and 3. */
export interface Gguf {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const magic = 0x46554747;
const versions = [2, 3];
const defaultAlignment = 32;
/** Bytes that a tensor's description and a metadata entry take at least. */
const leastTensor = 24;
const leastEntry = 13;

/**
 * Reads the head of a GGUF file and checks that all its numbers are there. Throws user errors `gguf-missing`,
 * `gguf-invalid`, `gguf-truncated` and `gguf-unsupported`.
 */
export function readGguf(path: string): Gguf {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw userError("gguf-missing", `Cannot read ${path}: ${messageOf(error)}.`, { path });
  }
  try {
    return readHead(path, new ByteSource(path, file));
  } finally {
    closeSync(file);
  }
}

function readHead(path: string, source: ByteSource): Gguf {
  if (source.size < 8 || source.u32() !== magic) throw invalidGguf(path, "does not begin with GGUF");
  const version = source.u32();
  if (!versions.includes(version))
    throw unsupportedGguf(
      path,
      version > 0xffff
        ? "is big-endian, and only little-endian GGUF files are read"
        : `is of GGUF version ${version}, and versions ${versions.join(" and ")} are read`,
    );
  const tensorCount = source.u64();
  const entryCount = source.u64();
  source.mayHold(tensorCount, leastTensor);
  source.mayHold(entryCount, leastEntry);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) metadata.set(source.text(), readValue(path, source, source.u32()));
  const described = Array.from({ length: tensorCount }, () => readTensor(path, source));
  const alignment = Number(metadata.get("general.alignment") ?? defaultAlignment);
  if (!Number.isInteger(alignment) || alignment < 1) throw invalidGguf(path, "has no sensible alignment");
  const data = Math.ceil(source.position / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const tensor of described) {
    const placed = { ...tensor, offset: data + tensor.offset };
    if (placed.offset + placed.bytes > source.size) throw truncatedGguf(path, source.size);
    tensors.set(tensor.name, placed);
  }
  return { path, metadata, tensors };
}

function readTensor(path: string, source: ByteSource): GgufTensor {
  const name = source.text();
  const dimensions = source.u32();
  if (dimensions < 1 || dimensions > 4)
    throw invalidGguf(path, `says that ${name} has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, source.u64).reverse();
  const type = source.u32();
  const offset = source.u64();
  const quantisation = quantisations.get(type);
  if (quantisation === undefined)
    throw unsupportedGguf(
      path,
      `stores ${name} as ${quantisationName(type)}, and what can be read is ${[...quantisations.values()].map((one) => one.name).join(", ")}`,
    );
  const numbers = shape.reduce((product, size) => product * size, 1);
  if (numbers === 0 || !Number.isSafeInteger(numbers) || (shape.at(-1) as number) % quantisation.size !== 0)
    throw invalidGguf(path, `gives ${name} the shape ${shape.join(" × ")}`);
  return { name, type, shape, offset, bytes: (numbers / quantisation.size) * quantisation.bytes };
}

const arrayType = 9;
/** The least bytes of one value: what keeps a nonsensical length from being believed. */
const leastBytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];

function readValue(path: string, source: ByteSource, type: number): GgufValue {
  if (type !== arrayType) return readerOf(path, source, type)();
  const member = source.u32();
  const count = source.u64();
  source.mayHold(count, leastBytes[member] ?? 1);
  if (member === arrayType) throw unsupportedGguf(path, "holds lists of lists, which no model needs");
  const read = readerOf(path, source, member);
  return Array.from({ length: count }, () => read());
}

function readerOf(path: string, source: ByteSource, type: number): () => number | boolean | string {
  const { u8, i8, u16, i16, u32, i32, f32, u64, i64, f64, text } = source;
  const truth = (): boolean => u8() !== 0;
  const readers = [u8, i8, u16, i16, u32, i32, f32, truth, text, undefined, u64, i64, f64];
  const reader = readers[type];
  if (reader === undefined) throw invalidGguf(path, `holds a value of the unknown type ${type}`);
  return reader;
}
