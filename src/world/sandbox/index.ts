export type { SandboxRequest } from "./request.ts";
export { runSandboxed, type SandboxResult } from "./sandbox.ts";
export { sandboxMissing } from "./tools.ts";
