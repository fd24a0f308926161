import { crc32 } from "node:zlib";
import { addArrays, readEntry, readRecord, vectorsOf } from "./arrays.ts";
import { WireData, type WireDatum, writeDatum } from "./datum.ts";
import { checkCount, ProtoReader, ProtoWriter } from "./protobuf.ts";
import { bytesOf } from "./tensor.ts";

/** What one call of `forward_backward` asks for; both `forward` and `forward_backward` of the SDK send it. */
export interface WirePass {
  readonly modelId: string;
  readonly sequence: number;
  readonly data: readonly WireDatum[];
  readonly lossName: string;
  readonly lossConfig: Readonly<Record<string, number | string>>;
  readonly forwardOnly: boolean;
}

/** Which call of which model a body is about. */
export interface PassHead {
  readonly modelId: string;
  readonly sequence: number;
}

/** In both maps together. */
const mostSettings = 128;

/** Throws a user error `malformed-protobuf` or `wrong-dtype`. */
export function readPass(bytes: Uint8Array): WirePass {
  const reader = new ProtoReader(bytes);
  let [modelId, sequence, lossName, forwardOnly] = ["", 0, "", false];
  const data = new WireData();
  const numbers: Record<string, number> = {};
  const config: Record<string, number | string> = {};
  let settings = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 5 || field === 7) checkCount(++settings, mostSettings, "settings of the loss");
    if (field === 1) modelId = reader.string();
    else if (field === 2) sequence = reader.integer();
    else if (field === 3) data.add(reader);
    else if (field === 4) lossName = reader.string();
    else if (field === 5) assign(numbers, reader.message(readNumberEntry));
    else if (field === 6) forwardOnly = reader.integer() !== 0;
    else if (field === 7) assign(config, reader.message(readConfigEntry));
    else reader.skip();
  }
  // Numbers come twice, for servers of before the second map.
  return { modelId, sequence, data: data.all, lossName, lossConfig: { ...numbers, ...config }, forwardOnly };
}

/** Which call it is, of a body that is broken or cut off, as far as it can be told: those fields come first. */
export function readPassHead(bytes: Uint8Array): PassHead | undefined {
  const reader = new ProtoReader(bytes);
  let modelId: string | undefined;
  let sequence: number | undefined;
  try {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) modelId = reader.string();
      else if (field === 2) sequence = reader.integer();
      else reader.skip();
      if (modelId !== undefined && sequence !== undefined) return { modelId, sequence };
    }
  } catch {
    // What was found before the fault counts.
  }
  return undefined;
}

export function writePass(pass: WirePass): Uint8Array {
  const writer = new ProtoWriter().string(1, pass.modelId).integer(2, pass.sequence);
  for (const datum of pass.data) writer.message(3, (inner) => writeDatum(inner, datum));
  writer.string(4, pass.lossName);
  for (const [name, value] of Object.entries(pass.lossConfig)) {
    if (typeof value === "number") writer.message(5, (entry) => void entry.string(1, name).double(2, value));
    writer.message(7, (entry) =>
      entry.string(1, name).message(2, (inner) => {
        if (typeof value === "number") inner.double(1, value);
        else inner.bytes(2, new TextEncoder().encode(value));
      }),
    );
  }
  return writer.integer(6, pass.forwardOnly ? 1 : 0).finish();
}

/** The same for the same call, in whatever order its maps were written. */
export function passFingerprint(pass: WirePass): string {
  const { data, ...head } = pass;
  let sum = crc32(JSON.stringify(head, Object.keys({ ...head, ...head.lossConfig }).sort()));
  let bytes = 0;
  const add = (part: Uint8Array): void => {
    // Where one ends and the next begins counts too.
    sum = crc32(part, crc32(`${part.length} `, sum));
    bytes += part.length;
  };
  for (const { chunks, inputs } of data) {
    for (const chunk of chunks) add(chunk.kind === "tokens" ? bytesOf(chunk.tokens) : new Uint8Array(1));
    for (const [name, { dtype, dense }] of [...inputs].sort(([one], [other]) => (one < other ? -1 : 1)))
      add(Buffer.concat([Buffer.from(`${name} ${dtype} `), dense ?? new Uint8Array(0)]));
  }
  return `${data.length}/${bytes}/${sum}`;
}

export interface WirePassOutput {
  /** `name:reduction`, so that parts of one call can be folded. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of the targets, per datum. */
  readonly logprobs: readonly Float32Array[];
}

export function writePassOutput({ metrics, logprobs }: WirePassOutput): Uint8Array {
  const writer = addArrays(new ProtoWriter(), { logprobs });
  for (const [name, value] of Object.entries(metrics))
    writer.message(3, (entry) => void entry.string(1, name).double(2, value));
  return writer.finish();
}

/** Throws a user error `malformed-protobuf`; outputs under other names than `logprobs` are left out. */
export function readPassOutput(bytes: Uint8Array): WirePassOutput {
  const reader = new ProtoReader(bytes);
  const metrics: Record<string, number> = {};
  const logprobs: Float32Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) {
      const told = reader.message(readRecord).get("logprobs");
      if (told !== undefined) logprobs.push(...vectorsOf(new ProtoReader(told)));
    } else if (field === 3) assign(metrics, reader.message(readNumberEntry));
    else reader.skip();
  }
  return { metrics, logprobs };
}

const readNumberEntry = (reader: ProtoReader): readonly [string, number] => {
  const [name, value = 0] = readEntry(reader, (inner) => inner.double());
  return [name, value];
};

function readConfigEntry(reader: ProtoReader): readonly [string, number | string | undefined] {
  return readEntry(reader, (entry) =>
    entry.message((inner) => {
      let value: number | string = 0;
      for (let field = inner.next(); field !== 0; field = inner.next()) {
        if (field === 1) value = inner.double();
        else if (field === 2) value = inner.string();
        else inner.skip();
      }
      return value;
    }),
  );
}

function assign<T>(into: Record<string, T>, [name, value]: readonly [string, T | undefined]): void {
  if (value !== undefined) Object.defineProperty(into, name, { value, enumerable: true, configurable: true });
}
