import { readFileSync } from "node:fs";
import { messageOf, WhetstoneError } from "../../../foundation/base/index.ts";

/** Flat arrays as a safetensors file: a JSON head that says where each lies, and the arrays, little-endian. */
export type Tensors = Readonly<Record<string, Int32Array | Float64Array>>;

interface Entry {
  readonly dtype: "I32" | "F64";
  readonly shape: readonly [number];
  readonly data_offsets: readonly [begin: number, end: number];
}

const prefixBytes = 8;

export function writeTensors(tensors: Tensors): Uint8Array {
  const head: Record<string, Entry> = {};
  let size = 0;
  for (const [name, array] of Object.entries(tensors)) {
    const dtype = array instanceof Int32Array ? "I32" : "F64";
    head[name] = { dtype, shape: [array.length], data_offsets: [size, size + array.byteLength] };
    size += array.byteLength;
  }
  const text = JSON.stringify(head);
  const headBytes = Buffer.from(text.padEnd(8 * Math.ceil(Buffer.byteLength(text) / 8)));
  const file = Buffer.alloc(prefixBytes + headBytes.length + size);
  file.writeBigUInt64LE(BigInt(headBytes.length));
  headBytes.copy(file, prefixBytes);
  let at = prefixBytes + headBytes.length;
  for (const { buffer, byteOffset, byteLength } of Object.values(tensors)) {
    file.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return file;
}

/** The arrays of those names. Throws user errors `weights-truncated` and `weights-missing-tensor`. */
export function readTensors<Name extends string>(
  path: string,
  names: Readonly<Record<Name, Entry["dtype"]>>,
): { [N in Name]: Int32Array | Float64Array } {
  const file = readFileSync(path);
  const truncated = (reason: string): WhetstoneError =>
    fault("weights-truncated", `${path} is not a whole safetensors file (${reason}); copy it again.`);
  if (file.length < prefixBytes) throw truncated("no head");
  const begin = prefixBytes + Number(file.readBigUInt64LE());
  if (begin > file.length) throw truncated("the head is cut off");
  let head: Record<string, Entry>;
  try {
    head = JSON.parse(file.toString("utf8", prefixBytes, begin));
  } catch (error) {
    throw truncated(messageOf(error));
  }
  const read = (name: string, dtype: Entry["dtype"]): Int32Array | Float64Array => {
    const entry = head[name];
    if (entry?.dtype !== dtype) throw fault("weights-missing-tensor", `${path} lacks ${name} (${dtype}).`);
    const [from, to] = entry.data_offsets;
    if (begin + to > file.length) throw truncated(`${name} is cut off`);
    // Copied, because an array must begin at a multiple of its element's size.
    const bytes = Uint8Array.from(file.subarray(begin + from, begin + to)).buffer;
    return dtype === "I32" ? new Int32Array(bytes) : new Float64Array(bytes);
  };
  const entries = Object.entries(names) as [Name, Entry["dtype"]][];
  return Object.fromEntries(entries.map(([name, dtype]) => [name, read(name, dtype)])) as {
    [N in Name]: Int32Array | Float64Array;
  };
}

function fault(code: string, message: string): WhetstoneError {
  return new WhetstoneError({ code, category: "user", message });
}
