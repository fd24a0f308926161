import { messageOf, WhetstoneError } from "../../../foundation/base/index.ts";
import { conformanceChecks } from "./conformance-checks.ts";
import type { ConformanceCheck, ConformanceSubject, Measurement } from "./subject.ts";

/** What came of one check. */
export interface CheckResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "not-applicable";
  /** What was nearest to its tolerance, or beyond it; absent where a promise has no number. */
  readonly worst?: Measurement;
  /** Why it failed, or need not pass. */
  readonly reason?: string;
  readonly seconds: number;
}

export interface CheckEngineOptions {
  /** Only the part that is short: enough to know whether training and sampling can be relied on. */
  readonly fast?: boolean;
  /** Hears of each check as it ends. */
  readonly onResult?: (result: CheckResult, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs the kit on an engine, one check after the other; a check that fails is a result, and not thrown. Throws what asking
 * for the engine's capabilities throws, and the signal's reason.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await using engine = await tabular().open({ logFolder: folder });
 * const results = await checkEngine(await folderSubject(engine, path), { fast: true });
 * results.filter(({ outcome }) => outcome === "failed").length; // 0
 */
export async function checkEngine(
  subject: ConformanceSubject,
  { fast = false, onResult, signal }: CheckEngineOptions = {},
): Promise<readonly CheckResult[]> {
  await subject.engine.capabilities();
  const checks = conformanceChecks().filter((check) => check.fast || !fast);
  const results: CheckResult[] = [];
  for (const check of checks) {
    signal?.throwIfAborted();
    const result = await resultOf(check, subject);
    results.push(result);
    onResult?.(result, results.length, checks.length);
  }
  return results;
}

async function resultOf({ name, run }: ConformanceCheck, subject: ConformanceSubject): Promise<CheckResult> {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  try {
    const { outcome, ...rest } = await run(subject);
    return { name, outcome, ...rest, seconds: seconds() };
  } catch (error) {
    const worst = measurementOf(error);
    return {
      name,
      outcome: "failed",
      ...(worst === undefined ? {} : { worst }),
      reason: messageOf(error),
      seconds: seconds(),
    };
  }
}

function measurementOf(error: unknown): Measurement | undefined {
  if (!(error instanceof WhetstoneError)) return undefined;
  const { what, measured, tolerance } = error.details;
  return typeof what === "string" && typeof measured === "number" && typeof tolerance === "number"
    ? { what, measured, tolerance }
    : undefined;
}
