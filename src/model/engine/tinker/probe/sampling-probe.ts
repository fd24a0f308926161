import type { SamplingParameters } from "../../../../foundation/contract/index.ts";
import { fail } from "../../conformance/assert.ts";
import type { Bench } from "../../conformance/bench.ts";

const indices = [0, 1, 2, 3];
const samples = 2;
const maxTokens = 8;

/**
 * A filter that leaves one token draws what temperature 0 takes, at any temperature. Where two tokens are as good as equally
 * likely they may differ, which is rare. Throws `conformance-failed`.
 */
export async function probeFilter(bench: Bench, filter: Partial<SamplingParameters>): Promise<void> {
  const sampler = await bench.sampler();
  const drawn = async (parameters: Partial<SamplingParameters>): Promise<readonly string[]> => {
    const requests = indices.map((index) => ({
      prompt: bench.sequence(index),
      samples,
      seed: 1000 + index,
      parameters: { maxTokens, ...parameters },
    }));
    return (await sampler.sample(requests)).flat().map(({ tokens }) => tokens.join());
  };
  const likeliest = await drawn({ temperature: 0 });
  const filtered = await drawn({ temperature: 1, ...filter });
  const differing = filtered.filter((tokens, at) => tokens !== likeliest[at]).length;
  if (differing > Math.max(1, bench.ties(likeliest.length)))
    fail(
      `${differing} of ${likeliest.length} samples under ${JSON.stringify(filter)} are not of the likeliest tokens`,
    );
}
