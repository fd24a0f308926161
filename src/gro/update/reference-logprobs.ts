import type { Example, SamplingPolicy } from "../../foundation/contract/index.ts";

/** What a policy would have given each response, in examples' order: one logprob a response token. */
export async function referenceLogprobs(
  { sampler }: SamplingPolicy,
  examples: readonly Example[],
  signal?: AbortSignal,
): Promise<Float64Array[]> {
  if (examples.length === 0) return [];
  const wholes = examples.map(({ context, response }) => {
    const whole = new Int32Array(context.length + response.length);
    whole.set(context);
    whole.set(response, context.length);
    return whole;
  });
  const logprobs = await sampler.logprobs(wholes, signal ? { signal } : {});
  return examples.map(({ context }, index) =>
    Float64Array.from((logprobs[index] ?? new Float32Array()).subarray(context.length)),
  );
}
