import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** The floating numbers of one tensor of a safetensors file. */
export interface SavedTensor {
  readonly name: string;
  readonly path: string;
  /** Of its first byte in the file. */
  readonly offset: number;
  readonly values: Float32Array | Float64Array;
}

const prefixBytes = 8;

/** The weights of a checkpoint's folder, without its optimiser's; none where it is not on this machine. */
export function savedWeights(folder: string): readonly SavedTensor[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors") && name !== "optimizer.safetensors")
    .sort()
    .flatMap((name) => tensorsOf(join(folder, name)));
}

interface Entry {
  readonly dtype: string;
  readonly data_offsets: readonly [begin: number, end: number];
}

function tensorsOf(path: string): SavedTensor[] {
  const file = openSync(path, "r");
  try {
    const size = Number(bytes(file, 0, prefixBytes).readBigUInt64LE());
    const head = JSON.parse(bytes(file, prefixBytes, size).toString("utf8")) as Record<string, Entry>;
    return Object.entries(head).flatMap(([name, { dtype, data_offsets: range }]) => {
      if (dtype !== "F32" && dtype !== "F64") return [];
      const offset = prefixBytes + size + range[0];
      const data = Uint8Array.from(bytes(file, offset, range[1] - range[0])).buffer;
      return [
        { name, path, offset, values: dtype === "F32" ? new Float32Array(data) : new Float64Array(data) },
      ];
    });
  } finally {
    closeSync(file);
  }
}

function bytes(file: number, from: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  readSync(file, buffer, 0, length, from);
  return buffer;
}

/** Overwrites a tensor, in the file itself; the checkpoint then tells no sums of its files any more. */
export function overwrite({ path, offset }: SavedTensor, values: Float32Array | Float64Array): void {
  forgetSums(join(dirname(path), "whetstone.json"));
  const file = openSync(path, "r+");
  try {
    writeSync(
      file,
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      0,
      values.byteLength,
      offset,
    );
  } finally {
    closeSync(file);
  }
}

function forgetSums(path: string): void {
  const facts = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { checksums?: unknown }) : {};
  const { checksums, ...others } = facts;
  if (checksums !== undefined) writeFileSync(path, JSON.stringify(others));
}
