import { policyCase } from "./policy.ts";

/**
 * GRPO as its paper writes it (arXiv 2402.03300, equation 3): each response's mean, the clipped ratio, the KL from where it began in the
 * loss. Two optimiser steps on one batch, so that ratios leave 1 and bounds are met; TRL divides by the deviation of a sample plus 1e-4.
 */
export const grpo = policyCase({
  loss: "grpo",
  tolerance: 2e-6,
  update: {
    loss: "ppo",
    sampleDeviation: true,
    epsilon: 1e-4,
    average: "responses",
    kl: { coefficient: 0.04, in: "loss", reference: "start" },
  },
});
