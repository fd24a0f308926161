export {
  type EngineStatus,
  engineStatus,
  type Installation,
  type InstallationOptions,
  installEngine,
  removeEngine,
} from "./installation.ts";
export { type LocalOptions, local } from "./local.ts";
export { LocalEngine } from "./local-engine.ts";
