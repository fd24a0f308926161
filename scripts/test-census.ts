import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Reporter } from "vitest/node";
import { notApplicable } from "../src/model/engine/conformance/index.ts";

/** What a vitest run did, for a script that must know about every test that did not run. */
export interface TestCensus {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly test: string; readonly reason: string }[];
}

/** The only reasons for which a test may be skipped, as `context.skip("needs a GPU")`, each with what belies it. */
const missingHardware: Readonly<Record<string, () => boolean>> = {
  "needs a GPU": () => existsSync("/dev/nvidia0"),
};

/** Writes a {@link TestCensus} as JSON when the run ends. */
export function censusReporter(path: string): Reporter {
  return {
    onTestRunEnd(modules, errors) {
      let passed = 0;
      let failed = errors.length;
      const skipped: { test: string; reason: string }[] = [];
      for (const module of modules) {
        if (module.children.size === 0) failed += 1;
        for (const test of module.children.allTests()) {
          const result = test.result();
          if (result.state === "passed") passed += 1;
          else if (result.state === "failed") failed += 1;
          else {
            const reason = result.state === "skipped" ? result.note : "never finished";
            skipped.push({
              test: `${module.relativeModuleId} > ${test.fullName}`,
              reason: reason ?? test.options.mode,
            });
          }
        }
      }
      writeFileSync(path, JSON.stringify({ passed, failed, skipped } satisfies TestCensus));
    },
  };
}

export function readCensus(path: string): TestCensus | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as TestCensus) : undefined;
}

/** The skipped tests that this machine could have run. Checks that are not about an engine are pinned where they are run. */
export function unexcused(census: TestCensus): TestCensus["skipped"] {
  return census.skipped.filter(
    ({ reason }) => !reason.startsWith(notApplicable) && (missingHardware[reason]?.() ?? true),
  );
}
