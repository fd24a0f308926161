import { conformanceChecks } from "./conformance-checks.ts";
import type { ConformanceSubject } from "./subject.ts";

/** `test` of vitest, `test` of node:test, or another that is like them. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/**
 * The kit as tests, one a check. The subject is asked for when a test runs, so that it may be made in a hook.
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
  for (const { name, run } of conformanceChecks())
    test(name, async () => {
      await run(await subject());
    });
}
