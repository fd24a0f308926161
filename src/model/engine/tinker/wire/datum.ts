import { userError } from "../../../../foundation/base/index.ts";
import { checkCount, type ProtoReader, type ProtoWriter } from "./protobuf.ts";
import { bytesOf, readTensor, tokensFrom, type WireTensor, writeTensor } from "./tensor.ts";

/** A piece of a model's input. Images and audio are known, and taken by no engine here. */
export type WireChunk =
  | { readonly kind: "tokens"; readonly tokens: Int32Array }
  | { readonly kind: "image" | "audio" };

/** One training example as it lies on the wire. */
export interface WireDatum {
  readonly chunks: readonly WireChunk[];
  /** The arrays that the loss needs, by the API's names. */
  readonly inputs: ReadonlyMap<string, WireTensor>;
}

const mostData = 2 ** 17;
const [mostChunks, mostInputs] = [2 ** 16, 64];
const mostMembers = 2 ** 20;

/** The examples of a request, as they are read. */
export class WireData {
  readonly all: WireDatum[] = [];
  /** Chunks and arrays in them. */
  #members = 0;

  /** Throws user errors `malformed-protobuf`, `wrong-dtype` and `wrong-shape`. */
  add(reader: ProtoReader): void {
    const datum = reader.message(readDatum);
    checkCount(this.all.push(datum), mostData, "examples, which several requests could have");
    this.#members += datum.chunks.length + datum.inputs.size;
    checkCount(
      this.#members,
      mostMembers,
      "chunks and arrays in its examples, which several requests could have",
    );
  }
}

function readDatum(reader: ProtoReader): WireDatum {
  const chunks: WireChunk[] = [];
  const inputs = new Map<string, WireTensor>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) checkCount(chunks.push(reader.message(readChunk)), mostChunks, "chunks in an example");
    else if (field === 2) reader.message((entry) => readInput(entry, inputs));
    else reader.skip();
  }
  return { chunks, inputs };
}

const noTokens = { kind: "tokens", tokens: new Int32Array(0) } as const;

function readChunk(reader: ProtoReader): WireChunk {
  let chunk: WireChunk = noTokens;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) chunk = { kind: "tokens", tokens: reader.message(readEncodedText) };
    else {
      if (field === 2 || field === 3) chunk = { kind: field === 2 ? "image" : "audio" };
      reader.skip();
    }
  }
  return chunk;
}

function readEncodedText(reader: ProtoReader): Int32Array {
  let tokens: Int32Array = noTokens.tokens;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    const bytes = reader.bytes();
    if (bytes.length % 4 !== 0)
      throw userError("wrong-shape", `${bytes.length} bytes are no sequence of 32-bit token ids.`);
    if (bytes.length > 0) tokens = tokensFrom(bytes);
  }
  return tokens;
}

function readInput(entry: ProtoReader, inputs: Map<string, WireTensor>): void {
  let name = "";
  let tensor: WireTensor | undefined;
  for (let field = entry.next(); field !== 0; field = entry.next()) {
    if (field === 1) name = entry.string();
    else if (field === 2) tensor = entry.message(readTensor);
    else entry.skip();
  }
  if (tensor !== undefined) inputs.set(name, tensor);
  checkCount(inputs.size, mostInputs, "arrays in an example");
}

export function writeDatum(writer: ProtoWriter, { chunks, inputs }: WireDatum): void {
  for (const chunk of chunks)
    writer.message(1, (outer) => {
      if (chunk.kind === "tokens") outer.message(1, (inner) => inner.bytes(1, bytesOf(chunk.tokens)));
      else outer.bytes(chunk.kind === "image" ? 2 : 3, new Uint8Array(0));
    });
  for (const [name, tensor] of inputs)
    writer.message(2, (entry) => entry.string(1, name).message(2, (inner) => writeTensor(inner, tensor)));
}
