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
