import { expect, test } from "vitest";
import { conformanceChecks } from "../src/index.ts";
import { temporaryFolder, whetstone } from "./cli-program.ts";

const folder = temporaryFolder();

test.concurrent("engine check prints each check with what was measured, its tolerance and a verdict", async () => {
  const { code, stdout } = await whetstone(["engine", "check", "tabular", "--fast"], { folder });
  expect(code).toBe(0);
  const fast = conformanceChecks().filter((check) => check.fast);
  const rows = [...stdout.matchAll(/^ok {5} +(\S+) +(\S+) {2}(.+)$/gm)];
  expect(rows.map(([, , , name]) => name)).toEqual(fast.map(({ name }) => name));
  const named = rows.find(
    ([, , , name]) => name === "a named loss is cross_entropy weighed by its derivatives",
  );
  expect(Number(named?.[1])).toBeLessThan(Number(named?.[2]));
  expect(stdout).toContain(`All ${fast.length} checks passed.`);
});

test.concurrent("engine check says the same to programs, of a folder's model, with all checks", async () => {
  const { code, stdout } = await whetstone(["engine", "check", "tabular", "--json"], { folder });
  const report = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(report).toMatchObject({
    conforms: true,
    failed: 0,
    precision: "fp32",
    capabilities: { engine: "tabular" },
  });
  expect(report.checks.map(({ name }: { name: string }) => name)).toEqual(
    conformanceChecks().map(({ name }) => name),
  );
  expect(report.passed + report.notApplicable).toBe(report.checks.length);
  for (const { outcome, worst, reason } of report.checks)
    if (outcome === "passed" && worst !== undefined)
      expect(worst.measured).toBeLessThanOrEqual(worst.tolerance);
    else if (outcome === "not-applicable") expect(reason).toMatch(/^it /);
});

test.concurrent("engine check refuses what the engine has not, and names one that has it", async () => {
  const { code, stderr } = await whetstone(["engine", "check", "tabular", "--precision", "bf16"], { folder });
  expect(code).toBe(3);
  expect(stderr).toContain("does not have the precision bf16, which is asked of it; use local().");
});
