import type { Task } from "../../foundation/contract/index.ts";

/** A task's verifier for the time of a run, a plan or an audit: told where the run is, and closed however that ends. */
export function lendVerifier({ verifier }: Task, projectFolder: string): AsyncDisposable {
  verifier.open?.({ projectFolder });
  return { [Symbol.asyncDispose]: async () => await verifier.close?.() };
}
