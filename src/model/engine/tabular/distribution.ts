/** Logits as a distribution: fills `probabilities` and returns the logarithm of the sum of exponentials. */
export function normalise(logits: Float64Array, probabilities: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (let token = 0; token < logits.length; token++) {
    const weight = Math.exp((logits[token] as number) - largest);
    probabilities[token] = weight;
    sum += weight;
  }
  for (let token = 0; token < logits.length; token++)
    probabilities[token] = (probabilities[token] as number) / sum;
  return largest + Math.log(sum);
}

/**
 * Entropy −Σ p log p, and KL(uniform ‖ p) = −log V − (1/V)·Σ log p over the V tokens that are possible (arXiv 2502.18581),
 * of logits whose exponentials' sum has this logarithm. Nats.
 */
export function certaintyOf(
  logits: Float64Array,
  logarithm: number,
): { readonly entropy: number; readonly selfCertainty: number } {
  let [entropy, sum, possible] = [0, 0, 0];
  for (const logit of logits) {
    if (logit === Number.NEGATIVE_INFINITY) continue;
    const logprob = logit - logarithm;
    entropy -= Math.exp(logprob) * logprob;
    sum += logprob;
    possible += 1;
  }
  return { entropy, selfCertainty: -Math.log(possible) - sum / possible };
}
