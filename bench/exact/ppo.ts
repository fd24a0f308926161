import { policyCase } from "./policy.ts";

/** PPO's clipped policy step from given advantages (arXiv 1707.06347, equation 7), the mean over all tokens; three optimiser steps on one batch. */
export const ppo = policyCase({
  loss: "ppo",
  tolerance: 2e-6,
  given: true,
  update: { loss: "ppo", advantages: "learned", average: "tokens" },
});
