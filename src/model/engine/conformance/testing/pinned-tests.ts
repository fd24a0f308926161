import { deepEqual } from "node:assert/strict";
import { adapterChecks } from "../adapter-checks.ts";
import { architectureChecks } from "../architecture-checks.ts";
import { determinismChecks } from "../determinism-checks.ts";
import { type ConformanceTestContext, conformanceTests } from "../index.ts";
import type { ConformanceSubject } from "../subject.ts";

const named = (checks: readonly { readonly name: string }[]): readonly string[] =>
  checks.map(({ name }) => name);

/** Checks that an engine is excused from together. */
export const groups = {
  adapters: named(adapterChecks),
  /** What another library computes: run where the subject has a reference. */
  architectures: named(architectureChecks),
  equalBits: named(determinismChecks),
};

/** `test` of vitest, which is no part of the package. */
type Test = (
  name: string,
  run: (context: ConformanceTestContext) => Promise<void>,
  timeoutMs?: number,
) => unknown;

interface Pinned {
  readonly test: Test;
  readonly subject: () => ConformanceSubject | Promise<ConformanceSubject>;
  /** The names of all checks that need not pass. */
  readonly excused: (subject: ConformanceSubject) => readonly string[] | Promise<readonly string[]>;
  readonly timeoutMs?: number;
}

/** The kit as tests, and one more: no check is excused but those that are named, so that none is unnoticed. */
export function pinnedTests({ test, subject, excused, timeoutMs }: Pinned): void {
  const skipped: string[] = [];
  conformanceTests((name, run) => {
    test(
      name,
      (context) =>
        run({
          skip: (reason) => {
            skipped.push(name);
            context.skip(reason);
          },
        }),
      timeoutMs,
    );
  }, subject);
  test("all other checks are run", async () =>
    deepEqual(skipped.toSorted(), [...(await excused(await subject()))].sort()));
}
