export { runSandboxed, type SandboxRequest, type SandboxResult, sandboxMissing } from "./sandbox.ts";
