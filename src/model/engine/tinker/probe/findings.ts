import { z } from "zod";
import type { EngineCapabilities, LossName } from "../../../../foundation/contract/index.ts";
import { lossNames } from "../losses.ts";

/** What a server was found to do. */
export const findingsSchema = z.strictObject({
  format: z.literal(5),
  /** Weights of cross_entropy count with the size and the sign that they have. */
  signedWeights: z.boolean(),
  /** Losses whose gradient is the contract's. */
  losses: z.array(z.enum(lossNames as [LossName, ...LossName[]])),
  tellsGradientNorm: z.boolean(),
  /** A step's gradient is clipped to the norm that it says, and only there. */
  gradientClipping: z.boolean(),
  /** A step shrinks the weights as far as its rate and its decay say. */
  weightDecay: z.boolean(),
  /** A step remembers the gradients before it as long as its betas say; null where weights are rescaled, which hides it. */
  betas: z.boolean().nullable(),
  /** Filters of samples keep the likeliest tokens alone. */
  topK: z.boolean(),
  topP: z.boolean(),
  /** What is sampled from keeps its weights while its model learns. */
  keepsSamplers: z.boolean(),
  /** A checkpoint can be loaded without the moments of its optimiser. */
  freshOptimizer: z.boolean(),
  /** Promises of the contract that it does not keep, each with what was seen. */
  faults: z.array(z.strictObject({ check: z.string(), reason: z.string() })),
});
export type Findings = Readonly<z.output<typeof findingsSchema>>;

/** Capabilities without what was found to be wrong. */
export function asFound(stated: EngineCapabilities, found: Findings): EngineCapabilities {
  const dropped = stated.losses.filter((name) => !found.losses.includes(name));
  const why = found.signedWeights
    ? "the gradient is not the contract's"
    : "it cannot be trusted where weights are rescaled";
  return {
    ...stated,
    losses: stated.losses.filter((name) => found.losses.includes(name)),
    signedWeights: found.signedWeights,
    gradientClipping: found.gradientClipping,
    weightDecay: found.weightDecay,
    topK: stated.topK && found.topK,
    topP: found.topP,
    freshOptimizer: found.freshOptimizer,
    ...(found.tellsGradientNorm ? {} : { untold: ["gradient-norm"] as const }),
    untested: [
      ...stated.untested,
      ...(found.signedWeights
        ? []
        : ["negative weights: this server rescales each sequence's, and so they are refused"]),
      ...(found.gradientClipping
        ? []
        : ["clipping of the gradient: this server ignores it, and so it is refused"]),
      ...(found.weightDecay
        ? []
        : ["weight decay: this server shrinks weights otherwise, or not at all, and so it is refused"]),
      ...(found.betas === true
        ? []
        : [
            found.betas === null
              ? "betas of AdamW: they cannot be tried where weights are rescaled"
              : "betas of AdamW: this server takes others than it is asked for, and a learning rate goes otherwise far",
          ]),
      ...(found.topK ? [] : ["top-k sampling: this server ignores it, and so it is refused"]),
      ...(found.topP ? [] : ["top-p sampling: this server ignores it, and so it is refused"]),
      ...(found.keepsSamplers
        ? []
        : [
            "samplers: this server's learn with their model, and so each is given a model of its own there, one of those that it has room for",
          ]),
      ...(found.freshOptimizer
        ? []
        : [
            "checkpoints without their optimiser: this server loads its moments as well, and so they are refused",
          ]),
      ...dropped.map((name) => `${name}: ${why}`),
    ],
  };
}
