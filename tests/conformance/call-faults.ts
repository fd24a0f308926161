import { rmSync } from "node:fs";
import type { EngineCapabilities } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import type { Planting } from "./faulty-engine.ts";
import { withForwardOptions, without, withParameters, withStep } from "./plantings.ts";

const inRepeats: readonly Fault[] = [
  {
    fault: "a repeated forward is run again",
    caughtBy: "a pass and a save that are asked for again are answered from their record",
    planting: withForwardOptions((options) => without(options, "sequence")),
  },
  {
    fault: "a repeated save writes again",
    caughtBy: "a pass and a save that are asked for again are answered from their record",
    planting: {
      model: (inner) => ({
        save: (options) => {
          if (options.sequence !== undefined) rmSync(options.path, { recursive: true });
          return inner.save(without(options, "sequence"));
        },
      }),
    },
  },
];

/** The fault in an engine that says that it can do no more than this. */
const claiming = (less: Partial<EngineCapabilities>, planting: Planting): Planting => ({
  ...planting,
  engine: (inner) => ({ capabilities: async () => ({ ...(await inner.capabilities()), ...less }) }),
});

const otherwise: Readonly<Record<string, Planting>> = {
  "a precision that there is not is taken for another": { load: (options) => without(options, "precision") },
  "gradient checkpointing that there is not is left out": {
    load: (options) => without(options, "gradientCheckpointing"),
  },
  "adapters that there are not are left out": claiming(
    { loraRank: 0 },
    { load: (options) => without(options, "lora") },
  ),
  "an optimiser that there is not is taken for another": claiming(
    { optimizers: ["adamw"] },
    withStep((step) => without(step, "optimizer")),
  ),
  "a loss that there is not is taken for another": claiming(
    { losses: ["cross_entropy", "importance_sampling", "ppo", "cispo", "gspo"] },
    withForwardOptions((options) =>
      options.loss.name === "dro" ? { ...options, loss: { name: "importance_sampling" } } : options,
    ),
  ),
  "top-k that there is not is left out": claiming(
    { topK: false },
    withParameters((parameters) => without(parameters, "topK")),
  ),
  "stop strings that there are not are left out": claiming(
    { stopStrings: false },
    withParameters((parameters) => without(parameters, "stopStrings")),
  ),
  "more of the most probable tokens than there may be are fewer": claiming(
    { topLogprobs: 4 },
    withParameters((parameters) => ({
      ...parameters,
      topLogprobs: Math.min(4, parameters.topLogprobs ?? 0),
    })),
  ),
};

const inClaims: readonly Fault[] = Object.entries(otherwise).map(([fault, planting]) => ({
  fault,
  caughtBy: "what the engine does not claim is refused, not done otherwise",
  planting,
}));

/** Faults in calls that are made twice, and in calls that the engine does not claim to answer. */
export const callFaults: readonly Fault[] = [...inRepeats, ...inClaims];
