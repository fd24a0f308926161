export { cacheFolder } from "./cache-folder.ts";
export {
  type EngineStatus,
  engineStatus,
  type Installation,
  type InstallationOptions,
  installEngine,
  packageFolder,
  removeEngine,
} from "./installation.ts";
export { type LocalOptions, local } from "./local.ts";
export { LocalEngine } from "./local-engine.ts";
export { findPython, type Python } from "./python.ts";
export { runCommand } from "./run-command.ts";
