import type { SamplingParameters } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { checkStopStrings } from "../stop-strings.ts";
import { normalise } from "./distribution.ts";
import { checkNumbers } from "./limits.ts";

/** Throws `bad-request` where a parameter is out of range. */
export function checkSampling(parameters: SamplingParameters): void {
  const { stopTokens = [], stopStrings = [], ...numbers } = parameters;
  const { maxTokens, topK = 0, topP = 1, minP = 0 } = numbers;
  checkNumbers(numbers);
  if (!Number.isInteger(maxTokens) || maxTokens < 1 || !Number.isInteger(topK))
    throw engineError("bad-request", "maxTokens and topK must be whole numbers, maxTokens at least 1.");
  if (topP === 0 || topP > 1 || minP > 1)
    throw engineError("bad-request", "topP must be above 0 and at most 1, minP at most 1.");
  checkStopStrings(stopStrings);
  if (stopStrings.includes("") || stopTokens.some((token) => token < 0))
    throw engineError("bad-request", "A stop string must not be empty, a stop token not negative.");
}

/** Draws tokens from logits, as the Python engine does: filters in the order temperature, topK, topP, minP. */
export class Chooser {
  readonly #scaled: Float64Array;
  readonly #probabilities: Float64Array;

  constructor(vocabulary: number) {
    this.#scaled = new Float64Array(vocabulary);
    this.#probabilities = new Float64Array(vocabulary);
  }

  /** The likeliest token at temperature 0; otherwise by inverting the filtered distribution at a number in [0, 1). */
  choose(logits: Float64Array, parameters: SamplingParameters, draw: number): number {
    const { temperature = 1, topK = 0, topP = 1, minP = 0 } = parameters;
    if (temperature === 0) return likeliest(logits);
    // From the largest down, so that no quotient is infinite, however cold it is.
    const largest = logits[likeliest(logits)] as number;
    for (let token = 0; token < logits.length; token++)
      this.#scaled[token] = ((logits[token] as number) - largest) / temperature;
    normalise(this.#scaled, this.#probabilities);
    if (topK === 0 && topP === 1 && minP === 0) return invert(this.#probabilities, draw);
    return this.#filtered(topK, topP, minP, draw);
  }

  #filtered(topK: number, topP: number, minP: number, draw: number): number {
    const probabilities = this.#probabilities;
    const of = (token: number): number => probabilities[token] as number;
    // Sorting is stable: among equal tokens the lower id comes first.
    let kept = Array.from(probabilities.keys()).sort((a, b) => of(b) - of(a));
    if (topK > 0) kept = kept.slice(0, topK);
    if (topP < 1) {
      const most = topP * kept.reduce((sum, token) => sum + of(token), 0);
      let before = 0;
      kept = kept.filter((token) => {
        const keeps = before < most;
        before += of(token);
        return keeps;
      });
    }
    const least = minP * of(kept[0] as number);
    kept = kept.filter((token) => of(token) >= least);
    return kept[invert(Float64Array.from(kept, of), draw)] as number;
  }
}

function likeliest(logits: Float64Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++)
    if ((logits[token] as number) > (logits[best] as number)) best = token;
  return best;
}

/** The first index at which the running sum passes the draw's share of the whole. */
function invert(probabilities: Float64Array, draw: number): number {
  let whole = 0;
  for (const probability of probabilities) whole += probability;
  let sum = 0;
  let last = 0;
  for (let index = 0; index < probabilities.length; index++) {
    const probability = probabilities[index] as number;
    sum += probability;
    if (sum > draw * whole) return index;
    // Rounding may leave the draw just above the sum: then it is the last one that is possible.
    if (probability > 0) last = index;
  }
  return last;
}
