import type { EngineAbilities } from "../definition.ts";
import { losses } from "./loss.ts";
import { optimizers } from "./optimizer.ts";
import { mostTop } from "./top-tokens.ts";

/** A table has exact gradients, and neither layers that adapters could fit nor hidden states. */
export const abilities: EngineAbilities = {
  losses,
  optimizers,
  precisions: ["fp32"],
  stopStrings: true,
  topK: true,
  loraRank: 0,
  gradientCheckpointing: false,
  topLogprobs: mostTop,
  extensions: ["certainty", "gradient-features"],
  deterministic: ["calls", "engines", "batches"],
};
