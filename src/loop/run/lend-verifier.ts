import type { Task } from "../../foundation/contract/index.ts";

/** A task's verifiers for the time of a run, a plan or an audit: told where the run is, and closed however that ends. */
export function lendVerifier({ verifier, truth }: Task, projectFolder: string): AsyncDisposable {
  const lent = truth === undefined ? [verifier] : [verifier, truth];
  for (const one of lent) one.open?.({ projectFolder });
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lent.map((one) => one.close?.()));
    },
  };
}
