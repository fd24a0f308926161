/** An untrusted program, and what it may take. */
export interface SandboxRequest {
  /**
   * The interpreter that runs it, an absolute path on this machine: nothing else of the machine is there but `/usr`, read only, without
   * `/usr/local` where the interpreter is not installed there.
   */
  readonly interpreter: string;
  readonly arguments: readonly string[];
  readonly input?: string;
  /** Wall-clock time. */
  readonly seconds: number;
  /** Memory that its processes may hold together. */
  readonly megabytes: number;
  /** Bytes of output, and as many of errors, that are read; more is a limit reached. Default a million. */
  readonly outputBytes?: number;
  readonly signal?: AbortSignal;
}
