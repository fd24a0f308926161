import type { EngineDefinition, Sampler } from "whetstone";
import { withSnapshots } from "../../examples/reverse/other-snapshots.ts";

/** How far a token's logprob is off, as a share of itself: that of kernels of a lower precision. */
const off = 0.02;

/** An engine that samples with other kernels than it scores with: what it says of its own tokens is a little wrong. */
export function mismatchedEngine(inner: EngineDefinition): EngineDefinition {
  return withSnapshots(inner, (model) => ({ take: async () => samplerOf(await model.snapshot()) }));
}

function samplerOf(sampler: Sampler): Sampler {
  return {
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    sample: async (requests, options) => {
      const sampled = await sampler.sample(requests, options);
      return sampled.map((sequences) =>
        sequences.map((sequence) => ({
          ...sequence,
          logprobs: sequence.logprobs.map((logprob) => logprob * (1 + off)),
        })),
      );
    },
    logprobs: (sequences, options) => sampler.logprobs(sequences, options),
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  };
}
