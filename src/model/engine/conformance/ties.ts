import type { Sampler, TokenIds } from "../../../foundation/contract/index.ts";
import { assert, type Closeness, Comparison } from "./assert.ts";
import type { Bench } from "./bench.ts";

/** Two samples of one prompt at temperature 0, which are not the same. */
export interface Parted {
  readonly prompt: TokenIds;
  readonly one: TokenIds;
  readonly other: TokenIds;
}

/**
 * Samples at temperature 0 may part where two tokens are equally likely. Each side finds its own the likelier by its own logprobs,
 * which are off by what is allowed: the difference of the two is off by twice that.
 */
export async function assertTied(
  bench: Bench,
  what: string,
  sampler: Sampler,
  parted: readonly Parted[],
  { each, mean }: Closeness,
): Promise<void> {
  const apart = `${what}: how far apart the two tokens are where samples part`;
  // Of many that might have been ties those were, of which the logprobs are farther off than most.
  const comparison = new Comparison(bench, { each: 2 * each, mean: mean < each ? 4 * mean : 2 * each });
  for (const { prompt, one, other } of parted) {
    const at = one.findIndex((token, place) => token !== other[place]);
    assert(
      at >= 0 && at < other.length,
      `${what}: a sample ends elsewhere, with the same tokens up to there`,
    );
    const ending = (token: number): TokenIds => Int32Array.of(...prompt, ...one.subarray(0, at), token);
    const scored = await sampler.logprobs([ending(one[at] as number), ending(other[at] as number)]);
    const [first, second] = scored.map((logprobs) => logprobs.at(-1) as number) as [number, number];
    comparison.add(apart, [Math.abs(first - second)], [0]);
  }
  comparison.end(apart);
}
