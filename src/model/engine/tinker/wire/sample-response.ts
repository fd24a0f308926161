import type { SampledSequence, TopLogprobs } from "../../../../foundation/contract/index.ts";
import { ProtoReader, ProtoWriter } from "./protobuf.ts";
import { bytesOf, floatsFrom, tokensFrom } from "./tensor.ts";

/** What came of one `asample`. */
export interface WireSamples {
  readonly sequences: readonly SampledSequence[];
  /** One a prompt token, the first NaN. */
  readonly promptLogprobs?: Float32Array;
  readonly topPromptLogprobs?: TopLogprobs;
}

/** What stands in a row of the most probable tokens where there is no prediction. */
const noLogprob = -99999;
const lengthReason = 1;

export function writeSamples({ sequences, promptLogprobs, topPromptLogprobs }: WireSamples): Uint8Array {
  const writer = new ProtoWriter();
  for (const { stopReason, tokens, logprobs, top } of sequences)
    writer.message(1, (sequence) => {
      sequence.integer(1, stopReason === "length" ? lengthReason : 0);
      sequence.bytes(2, bytesOf(tokens)).bytes(3, bytesOf(logprobs));
      if (top !== undefined) sequence.message(4, (inner) => writeTop(inner, top));
    });
  if (promptLogprobs !== undefined) writer.bytes(2, bytesOf(promptLogprobs));
  if (topPromptLogprobs !== undefined) writer.message(3, (inner) => writeTop(inner, topPromptLogprobs));
  writer.integer(4, sequences[0]?.promptCacheHitTokens ?? 0);
  return writer.finish();
}

function writeTop(writer: ProtoWriter, { k, tokens, logprobs }: TopLogprobs): void {
  const filled = logprobs.map((logprob) => (Number.isNaN(logprob) ? noLogprob : logprob));
  writer.bytes(1, bytesOf(tokens)).bytes(2, bytesOf(filled));
  writer.integer(3, k).integer(4, tokens.length / k);
}

/** Throws a user error `malformed-protobuf`. */
export function readSamples(bytes: Uint8Array): WireSamples {
  const reader = new ProtoReader(bytes);
  const sequences: SampledSequence[] = [];
  let promptLogprobs: Float32Array | undefined;
  let topPromptLogprobs: TopLogprobs | undefined;
  let promptCacheHitTokens = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) sequences.push(reader.message(readSequence));
    else if (field === 2) promptLogprobs = floatsFrom(reader.bytes());
    else if (field === 3) topPromptLogprobs = reader.message(readTop);
    else if (field === 4) promptCacheHitTokens = reader.integer();
    else reader.skip();
  }
  const hits = promptCacheHitTokens > 0 ? { promptCacheHitTokens } : {};
  return {
    sequences: sequences.map((sequence) => ({ ...sequence, ...hits })),
    ...(promptLogprobs && { promptLogprobs }),
    ...(topPromptLogprobs && { topPromptLogprobs }),
  };
}

function readSequence(reader: ProtoReader): SampledSequence {
  let stopReason: SampledSequence["stopReason"] = "stop";
  let [tokens, logprobs] = [new Int32Array(0), new Float32Array(0)];
  let top: TopLogprobs | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) stopReason = reader.integer() === lengthReason ? "length" : "stop";
    else if (field === 2) tokens = new Int32Array(tokensFrom(reader.bytes()));
    else if (field === 3) logprobs = new Float32Array(floatsFrom(reader.bytes()));
    else if (field === 4) top = reader.message(readTop);
    else reader.skip();
  }
  return { stopReason, tokens, logprobs, ...(top && { top }) };
}

function readTop(reader: ProtoReader): TopLogprobs {
  let [tokens, logprobs] = [new Int32Array(0), new Float32Array(0)];
  let k = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tokens = new Int32Array(tokensFrom(reader.bytes()));
    else if (field === 2) logprobs = new Float32Array(floatsFrom(reader.bytes()));
    else if (field === 3) k = reader.integer();
    else reader.skip();
  }
  return { k, tokens, logprobs: logprobs.map((logprob) => (logprob <= noLogprob ? Number.NaN : logprob)) };
}
