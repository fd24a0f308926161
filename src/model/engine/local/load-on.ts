import { resolve } from "node:path";
import type { LoadOptions, ModelInfo } from "../../../foundation/contract/index.ts";
import { type FrameHead, type FrameInput, i32, u8 } from "./frames.ts";
import { type Arithmetic, toleranceOf } from "./tolerance.ts";
import type { Worker } from "./worker.ts";

/** Asks a worker to hold weights, to train or to sample from. */
export async function loadOn(
  worker: Worker,
  verb: "create_model" | "load_sampler",
  names: FrameHead,
  { source, precision = "fp32", lora, gradientCheckpointing, tokenBytes }: LoadOptions,
): Promise<ModelInfo> {
  const places = { path: resolve(source.path), ...("base" in source ? { base: resolve(source.base) } : {}) };
  const parameters = {
    ...names,
    source: { ...source, ...places },
    precision,
    ...(lora === undefined ? {} : { lora }),
    ...(gradientCheckpointing === undefined ? {} : { gradientCheckpointing }),
  };
  const { head } = await worker.call(
    verb,
    parameters,
    tokenBytes === undefined ? {} : packTokenBytes(tokenBytes),
  );
  const info = head as unknown as Omit<ModelInfo, "maxPositions"> & {
    readonly maxPositions?: number | null;
    readonly arithmetic: Arithmetic;
  };
  return {
    parameters: info.parameters,
    vocabularySize: info.vocabularySize,
    step: info.step,
    ...(typeof info.maxPositions === "number" ? { maxPositions: info.maxPositions } : {}),
    ...(info.lora === undefined ? {} : { lora: info.lora }),
    tolerance: toleranceOf(precision, info.arithmetic),
  };
}

function packTokenBytes(tokenBytes: readonly Uint8Array[]): FrameInput {
  return {
    token_bytes: u8(...tokenBytes),
    token_byte_lengths: i32(Int32Array.from(tokenBytes, ({ length }) => length)),
  };
}
