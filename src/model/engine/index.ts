export type { EngineContext, EngineDefinition, EngineProgress } from "./definition.ts";
export { estimateParameters } from "./estimate-parameters.ts";
export { fromFolder } from "./from-folder.ts";
export type { ModelDefinition, ModelNeeds, PreparedModel } from "./model-definition.ts";
export { type TinyOptions, tiny } from "./tiny.ts";
