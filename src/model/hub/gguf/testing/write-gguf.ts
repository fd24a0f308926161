/** A GGUF file's content, for tests: 32-bit integers where numbers are whole, 32-bit floats where they are not. */
export interface Content {
  readonly metadata: Readonly<Record<string, Value>>;
  readonly tensors: readonly TensorContent[];
  readonly version?: number;
}

type Value = number | boolean | string | readonly (number | string)[];

export interface TensorContent {
  readonly name: string;
  /** As PyTorch says it. */
  readonly shape: readonly number[];
  /** Default 0: 32-bit floats. */
  readonly type?: number;
  readonly data: Uint8Array | Float32Array;
}

/** The bytes of a GGUF file, little-endian. */
export function ggufBytes({ metadata, tensors, version = 3 }: Content): Buffer {
  const entries = Object.entries(metadata);
  let offset = 0;
  const described = tensors.map(({ name, shape, type = 0, data }) => {
    const at = offset;
    offset += 32 * Math.ceil(data.byteLength / 32);
    return [text(name), u32(shape.length), ...shape.toReversed().map(u64), u32(type), u64(at)];
  });
  const head = Buffer.concat([
    Buffer.from("GGUF"),
    ...[u32(version), u64(tensors.length), u64(entries.length)],
    ...entries.flatMap(([name, value]) => [text(name), ...typed(value)]),
    ...described.flat(),
  ]);
  const data = tensors.map(({ data }) => aligned(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  return Buffer.concat([aligned(head), ...data]);
}

function typed(value: Value): Buffer[] {
  if (typeof value === "string") return [u32(8), text(value)];
  if (typeof value === "boolean") return [u32(7), Buffer.of(value ? 1 : 0)];
  if (typeof value === "number") return Number.isInteger(value) ? [u32(4), u32(value)] : [u32(6), f32(value)];
  const strings = typeof value[0] === "string";
  const whole = value.every(Number.isInteger);
  const members = value.map((one) => (typeof one === "string" ? text(one) : whole ? u32(one) : f32(one)));
  return [u32(9), u32(strings ? 8 : whole ? 4 : 6), u64(value.length), ...members];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function aligned(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
}
