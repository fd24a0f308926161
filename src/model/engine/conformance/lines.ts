import type { Sampler, TokenIds } from "../../../foundation/contract/index.ts";

/** Lines that a model is asked for; with these every check has enough. */
const many = 64;

/** 3 to 9 tokens. Lines of other numbers are different, and most of other lengths. */
export function lineOfChance(tokens: readonly number[], index: number): TokenIds {
  return Int32Array.from(
    { length: 3 + ((index * 5) % 7) },
    (_, place) => tokens[(index * 7 + place * place + place * (1 + (index % 3))) % tokens.length] as number,
  );
}

/**
 * Lines as long as those of chance, which begin like them and go on as the model does: what is stated of logprobs is of what a
 * model may say. Where a trained one meets what it would never say, single neurons go up to thousands, or do not, by the last
 * bit of bf16: of SmolLM2-135M two ways to compute a logprob lie .04 apart on its own lines (.2 at most), on lines of chance .08
 * (4.5 at most). A token that is not sampled stays one of chance. Throws what sampling throws.
 */
export async function linesOf(sampler: Sampler, tokens: readonly number[]): Promise<readonly TokenIds[]> {
  const lines = Array.from({ length: many }, (_, index) => lineOfChance(tokens, index));
  const samples = await sampler.sample(
    lines.map((line, seed) => ({
      prompt: line.subarray(0, 1),
      samples: 1,
      seed,
      parameters: { maxTokens: line.length - 1 },
    })),
  );
  for (const [index, line] of lines.entries())
    line.set(samples[index]?.[0]?.tokens.subarray(0, line.length - 1) ?? [], 1);
  return lines;
}
