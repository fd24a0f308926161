export { cacheFolder, type Environment, makeFolder, noSpace } from "./cache-folder.ts";
export { type LockOptions, lockFile } from "./install-lock.ts";
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
export { type MergeRequest, mergeAdapters } from "./merge-adapters.ts";
export type { OtherEnvironment } from "./other-environments.ts";
export { installedPlainPackages, installPlainPackages } from "./plain-packages.ts";
export { findPython, type Python } from "./python.ts";
export { type CommandResult, runCommand } from "./run-command.ts";
export { TransformersReference } from "./transformers-reference.ts";
export { workerEnvironment } from "./worker.ts";
