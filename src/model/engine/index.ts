export { fastArchitectures, plainArchitectures } from "./architectures.ts";
export type { EngineAbilities, EngineContext, EngineDefinition, EngineProgress } from "./definition.ts";
export { type AbleEngine, checkNeeds } from "./engine-needs.ts";
export { estimateParameters } from "./estimate-parameters.ts";
export { holdsWeights } from "./holds-weights.ts";
export { maxPositionsOf } from "./max-positions.ts";
export type { ModelDefinition, ModelNeeds, PreparedModel } from "./model-definition.ts";
export { type TinyOptions, tiny } from "./tiny.ts";
