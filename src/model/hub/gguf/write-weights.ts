import { type FileHandle, open } from "node:fs/promises";
import { toBrainFloats } from "./floats.ts";
import { truncatedGguf } from "./gguf-error.ts";
import type { Quantisation } from "./quantisation.ts";
import { quantisations } from "./quantisations.ts";
import type { PlannedTensor } from "./tensor-plan.ts";

export type StoredPrecision = "F32" | "BF16";

export interface WeightsOptions {
  /** The GGUF file, and the safetensors file to write. */
  readonly from: string;
  readonly to: string;
  readonly tensors: readonly PlannedTensor[];
  readonly precision: StoredPrecision;
  /** Numbers written so far, of all. */
  readonly onProgress?: (written: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** Numbers that are in memory at a time, or one head's rows if these are more. */
const chunkNumbers = 2 ** 20;
const numberBytes = { F32: 4, BF16: 2 } as const;

/** Writes every tensor as plain numbers, chunk by chunk, and syncs. Throws `gguf-truncated` where the file has shrunk. */
export async function writeWeights(options: WeightsOptions): Promise<void> {
  const { tensors, precision, onProgress, signal } = options;
  await using source = await open(options.from, "r");
  await using target = await open(options.to, "w");
  await writeAll(target, headOf(tensors, precision));
  const all = tensors.reduce((sum, { source }) => sum + countOf(source.shape), 0);
  let written = 0;
  for (const tensor of tensors) {
    for await (const values of chunksOf(tensor, source, options.from)) {
      signal?.throwIfAborted();
      await writeAll(target, encode(values, precision));
      written += values.length;
      onProgress?.(written, all);
    }
  }
  await target.sync();
}

/** A tensor's numbers in the order of the folder's. */
async function* chunksOf(
  { source, interleaved }: PlannedTensor,
  file: FileHandle,
  path: string,
): AsyncGenerator<Float32Array> {
  const kind = quantisations.get(source.type) as Quantisation;
  const count = countOf(source.shape);
  // A bias is a matrix of rows of one number.
  const row = interleaved !== undefined && source.shape.length === 1 ? 1 : (source.shape.at(-1) as number);
  const together = row * (interleaved ?? 1);
  const step = together * Math.max(1, Math.floor(chunkNumbers / together));
  for (let at = 0; at < count; at += step) {
    const values = new Float32Array(Math.min(step, count - at));
    const bytes = new Uint8Array((values.length / kind.size) * kind.bytes);
    const { bytesRead } = await file.read(bytes, {
      position: source.offset + (at / kind.size) * kind.bytes,
    });
    if (bytesRead < bytes.length) throw truncatedGguf(path, source.offset + bytesRead);
    kind.dequantise(bytes, values);
    yield interleaved === undefined ? values : separate(values, row, interleaved);
  }
}

/** Puts the rows of each head in order again: those that stood at even places, then those at odd ones. */
export function separate(values: Float32Array, row: number, headRows: number): Float32Array {
  const separated = new Float32Array(values.length);
  const half = headRows / 2;
  for (let to = 0; to < values.length / row; to++) {
    const inHead = to % headRows;
    const from = to - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    separated.set(values.subarray(from * row, (from + 1) * row), to * row);
  }
  return separated;
}

function encode(values: Float32Array, precision: StoredPrecision): Uint8Array {
  if (precision === "BF16") return toBrainFloats(values);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The head of a safetensors file: its length, and as JSON where each tensor lies. */
function headOf(tensors: readonly PlannedTensor[], precision: StoredPrecision): Uint8Array {
  const head: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let end = 0;
  for (const { name, source } of tensors) {
    const begin = end;
    end += countOf(source.shape) * numberBytes[precision];
    head[name] = { dtype: precision, shape: source.shape, data_offsets: [begin, end] };
  }
  const text = JSON.stringify(head);
  const bytes = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
