import { WireData, type WireDatum, writeDatum } from "./datum.ts";
import { readPass, type WirePass, writePass } from "./forward-backward.ts";
import { ProtoReader, ProtoWriter } from "./protobuf.ts";

/** Ours: sequences that a sampler reads, for `whetstone/embed` and `whetstone/certainty`. */
export interface WireReading {
  readonly samplerId: string;
  /** Counted with the sampler's draws. */
  readonly sequence: number;
  readonly sequences: readonly WireDatum["chunks"][];
  /** Of embeddings; empty where there is none. */
  readonly pooling: string;
}

/** Ours: `whetstone/gradient_features`, the data and the loss of a pass beside the projection of its gradients. */
export interface WireFeatures {
  readonly pass: WirePass;
  readonly dimensions: number;
  readonly seed: number;
}

const noInputs: WireDatum["inputs"] = new Map();

export function writeReading({ samplerId, sequence, sequences, pooling }: WireReading): Uint8Array {
  const writer = new ProtoWriter().string(1, samplerId).integer(2, sequence);
  // A model's input, which is an example without arrays.
  for (const chunks of sequences)
    writer.message(3, (inner) => writeDatum(inner, { chunks, inputs: noInputs }));
  return writer.string(4, pooling).finish();
}

/** Throws user errors `malformed-protobuf` and `wrong-shape`. */
export function readReading(bytes: Uint8Array): WireReading {
  const reader = new ProtoReader(bytes);
  let [samplerId, sequence, pooling] = ["", 0, ""];
  const sequences = new WireData();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) samplerId = reader.string();
    else if (field === 2) sequence = reader.integer();
    else if (field === 3) sequences.add(reader);
    else if (field === 4) pooling = reader.string();
    else reader.skip();
  }
  return { samplerId, sequence, sequences: sequences.all.map(({ chunks }) => chunks), pooling };
}

/** Far from the numbers of the API's own fields. */
const dimensionsField = 100;
const seedField = 101;

/** The message of a pass with two more fields: what reads the first reads this. */
export function writeFeatures({ pass, dimensions, seed }: WireFeatures): Uint8Array {
  const projection = new ProtoWriter().integer(dimensionsField, dimensions).integer(seedField, seed);
  return Buffer.concat([writePass(pass), projection.finish()]);
}

/** Throws user errors `malformed-protobuf` and `wrong-dtype`. */
export function readFeatures(bytes: Uint8Array): WireFeatures {
  const reader = new ProtoReader(bytes);
  let [dimensions, seed] = [0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === dimensionsField) dimensions = reader.integer();
    else if (field === seedField) seed = reader.integer();
    else reader.skip();
  }
  return { pass: readPass(bytes), dimensions, seed };
}
