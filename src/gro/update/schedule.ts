/**
 * Warm-up–stable–decay (arXiv 2404.06395, section 4): linear from 0 over the first tenth, constant, and over the last fifth
 * linear down to one hundredth. Returns the factor of the peak learning rate at optimiser step `step` of `steps`, from 0.
 */
export function warmupStableDecay(step: number, steps: number): number {
  const warmup = Math.max(1, Math.round(steps * 0.1));
  const decay = Math.max(1, Math.round(steps * 0.2));
  if (step < warmup) return (step + 1) / warmup;
  const left = steps - step;
  return left > decay ? 1 : 0.01 + 0.99 * ((left - 1) / decay);
}
