import { conformanceChecks } from "./conformance-checks.ts";
import type { ConformanceSubject } from "./subject.ts";

/** What a test is given: vitest and node:test have it, and others may have none. */
export interface ConformanceTestContext {
  /** Ends the test as one that was not run, for a reason. */
  readonly skip: (reason: string) => void;
}

/** `test` of vitest, `test` of node:test, or another that is like them. */
export type TestFunction = (
  name: string,
  run: (context?: ConformanceTestContext) => Promise<void>,
) => unknown;

/** How the reason begins for which a check is skipped: its promise is one that the engine does not make. */
export const notApplicable = "not applicable: ";

/**
 * The kit as tests, one a check. The subject is asked for when a test runs, so that it may be made in a hook. A check that an
 * engine need not pass is skipped, with the reason; where tests cannot be skipped it passes.
 *
 * @example
 * const promises: string[] = [];
 * const engine = tabular().open({ logFolder: "logs" });
 * conformanceTests(
 *   (name) => promises.push(name), // `test` of vitest
 *   async () => folderSubject(await engine, "my-model"),
 * );
 */
export function conformanceTests(
  test: TestFunction,
  subject: () => ConformanceSubject | Promise<ConformanceSubject>,
): void {
  // A parameter without a default would be a callback to those that count parameters.
  for (const { name, run } of conformanceChecks())
    test(name, async (context = undefined) => {
      const result = await run(await subject());
      if (result.outcome === "not-applicable") context?.skip(`${notApplicable}${result.reason}`);
    });
}
