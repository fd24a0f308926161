import { userError } from "../../../../foundation/base/index.ts";
import type { ProtoReader, ProtoWriter } from "./protobuf.ts";

/** Element types of the wire, by the number that `DType` gives them. */
const dtypes = ["unspecified", "float32", "int64", "int32", "bfloat16"] as const;
export type DType = (typeof dtypes)[number];

const widths: Readonly<Record<DType, number>> = {
  unspecified: 1,
  float32: 4,
  int64: 8,
  int32: 4,
  bfloat16: 2,
};

/** An array as it lies on the wire: little-endian, in C order. */
export interface WireTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Absent where the tensor is sparse (CSR), which this codec does not take apart. */
  readonly dense: Uint8Array | undefined;
}

const noBytes = new Uint8Array(0);
const mostDimensions = 64;

export function readTensor(reader: ProtoReader): WireTensor {
  let dense: Uint8Array | undefined = noBytes;
  let dtype: DType = "unspecified";
  const shape: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) dense = reader.bytes();
    else if (field === 2) {
      reader.skip();
      dense = undefined;
    } else if (field === 3) dtype = dtypeOf(reader.integer());
    else if (field === 4) reader.integers(shape, mostDimensions);
    else reader.skip();
  }
  return { dtype, shape, dense };
}

export function dtypeOf(number: number): DType {
  const dtype = dtypes[number];
  if (dtype === undefined) throw userError("wrong-dtype", `There is no dtype ${number}.`, { dtype: number });
  return dtype;
}

export const numberOfDtype = (dtype: DType): number => dtypes.indexOf(dtype);

export function writeTensor(writer: ProtoWriter, { dtype, shape, dense }: WireTensor): void {
  if (dense !== undefined) writer.bytes(1, dense);
  writer.integer(3, numberOfDtype(dtype)).integers(4, shape);
}

export const floatTensor = (values: Float32Array): WireTensor => ({
  dtype: "float32",
  shape: [values.length],
  dense: bytesOf(values),
});

/** Token ids as the wire has them in tensors: 64 bits each. */
export const tokenTensor = (tokens: Int32Array): WireTensor => ({
  dtype: "int64",
  shape: [tokens.length],
  dense: bytesOf(BigInt64Array.from(tokens, BigInt)),
});

/** The bytes of an array, not copied. */
export function bytesOf(array: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * A vector of floats (float32, or bfloat16 widened). `what` names it. Throws user errors `wrong-dtype` and `wrong-shape`.
 */
export function floatsOf(tensor: WireTensor, what: string): Float32Array {
  const { dtype, dense } = vector(tensor, what, ["float32", "bfloat16"]);
  if (dtype === "float32") return floatsFrom(dense);
  const halves = new Uint16Array(aligned(dense));
  const wide = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index++) wide[index] = (halves[index] as number) << 16;
  return new Float32Array(wide.buffer);
}

/** A vector of token ids (int64 or int32). Throws user errors `wrong-dtype`, `wrong-shape` and `token-out-of-range`. */
export function tokensOf(tensor: WireTensor, what: string): Int32Array {
  const { dtype, dense } = vector(tensor, what, ["int64", "int32"]);
  if (dtype === "int32") return tokensFrom(dense);
  const words = new Int32Array(aligned(dense));
  const tokens = new Int32Array(words.length / 2);
  for (let index = 0; index < tokens.length; index++) {
    const low = words[2 * index] as number;
    // An id that fits 32 bits is its low word, and the high one repeats its sign.
    if (words[2 * index + 1] !== low >> 31)
      throw userError("token-out-of-range", `${what} [${index}] is no token id: it needs more than 32 bits.`);
    tokens[index] = low;
  }
  return tokens;
}

interface Vector {
  readonly dtype: DType;
  readonly dense: Uint8Array;
}

function vector({ dtype, shape, dense }: WireTensor, what: string, allowed: readonly DType[]): Vector {
  if (dense === undefined)
    throw userError("wrong-shape", `${what} is sparse; send a dense vector, one value a position.`);
  if (!allowed.includes(dtype))
    throw userError("wrong-dtype", `${what} must be ${allowed[0]}, and is ${dtype}.`, { dtype });
  if (shape.length > 1)
    throw userError("wrong-shape", `${what} has the shape [${shape}]; one value a position is taken.`);
  const length = dense.length / widths[dtype];
  if (!Number.isInteger(length) || (shape.length === 1 && shape[0] !== length))
    throw userError("wrong-shape", `${what} says that it has ${shape} values, and holds ${length}.`);
  return { dtype, dense };
}

export const floatsFrom = (bytes: Uint8Array): Float32Array => new Float32Array(aligned(bytes));
export const tokensFrom = (bytes: Uint8Array): Int32Array => new Int32Array(aligned(bytes));

/** A copy that begins where arrays may begin, and holds whole elements only. */
export function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
