export { type TabularOptions, tabular } from "./tabular.ts";
export { TabularEngine, type TabularEngineOptions } from "./tabular-engine.ts";
