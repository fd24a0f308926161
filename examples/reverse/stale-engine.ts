import type { EngineDefinition, Sampler } from "whetstone";
import { withSnapshots } from "./other-snapshots.ts";

/**
 * An engine whose samplers stay behind from a training on: they are of the weights as the model had them when it was first asked,
 * whatever was learnt since.
 */
export function staleEngine(inner: EngineDefinition): EngineDefinition {
  return withSnapshots(inner, (model) => {
    let first: Promise<Sampler> | undefined;
    return {
      take: async () => {
        first ??= model.snapshot();
        const sampler = await first;
        return {
          id: sampler.id,
          weightVersion: sampler.weightVersion,
          sample: (requests, options) => sampler.sample(requests, options),
          logprobs: (sequences, options) => sampler.logprobs(sequences, options),
          // It is asked again.
          [Symbol.asyncDispose]: async () => {},
        };
      },
      close: async () => {
        const sampler = await first;
        await sampler?.[Symbol.asyncDispose]();
      },
    };
  });
}
