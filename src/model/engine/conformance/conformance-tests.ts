import { conformanceChecks } from "./conformance-checks.ts";
import type { ConformanceSubject } from "./subject.ts";

/** `test` of vitest, `test` of node:test, or another that is like them. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/**
 * The kit as tests, one a check. The subject is asked for when a test runs, so that it may be made in a hook.
 *
 * @example
 * conformanceTests(test, () => ({ engine, modelFolder, vocabularySize: 12 }));
 */
export function conformanceTests(test: TestFunction, subject: () => ConformanceSubject): void {
  for (const { name, run } of conformanceChecks())
    test(name, async () => {
      await run(subject());
    });
}
