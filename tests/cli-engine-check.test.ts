import { join } from "node:path";
import { expect, test } from "vitest";
import { conformanceChecks } from "../src/index.ts";
import { root, start, temporaryFolder, whetstone } from "./cli-program.ts";

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

test.concurrent("engine check tries a Tinker server, with the model that it serves by name", async () => {
  const served = `org/tiny=${join(root, "examples/models/tiny")}`;
  const serve = ["engine", "serve", "--engine", "tabular", "--port", "0", "--key", "tml-k", "--json"];
  const serving = start([...serve, "--model", served], { folder: temporaryFolder() });
  const { url } = JSON.parse(await serving.line(() => true)) as { readonly url: string };
  const check = ["engine", "check", url, "--fast", "--json"];
  const { code, stdout, stderr } = await whetstone([...check, "--key", "tml-k", "--model", "org/tiny"], {
    folder,
  });
  expect([code, stderr]).toEqual([0, ""]);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    conforms: true,
    failed: 0,
    notApplicable: 0,
    model: "org/tiny",
    precision: "fp32",
    capabilities: { engine: "tinker (tabular)" },
  });
  expect(report.checks.map(({ name }: { name: string }) => name)).toEqual(
    conformanceChecks().flatMap(({ name, fast }) => (fast ? [name] : [])),
  );

  // What it saved there is gone.
  const left = await fetch(`${url}/api/v1/checkpoints`, { headers: { "x-api-key": "tml-k" } });
  expect(await left.json()).toMatchObject({ checkpoints: [] });

  const cases: readonly (readonly [says: string, more: readonly string[], key?: string])[] = [
    ["--model is missing", ["--key", "tml-k"]],
    ["takes no such key", ["--key", "tml-other", "--model", "org/tiny"]],
    ["takes no such key", ["--model", "org/tiny"]],
    ["it has org/tiny", ["--model", "org/other"], "tml-k"],
  ];
  for (const [says, more, key] of cases) {
    const environment = { TINKER_API_KEY: key };
    const ended = await whetstone([...check, ...more], { folder, environment });
    expect(ended.code, says).toBe(3);
    expect(JSON.parse(ended.stdout).error.message).toContain(says);
  }
  serving.child.kill("SIGTERM");
  await serving.ended;
  const gone = await whetstone([...check, "--key", "tml-k", "--model", "org/tiny"], { folder });
  expect([gone.code, JSON.parse(gone.stdout).error.code]).toEqual([2, "server-unreachable"]);
});

test.concurrent("engine check takes --deterministic for the local engine alone", async () => {
  for (const which of ["tabular", "http://127.0.0.1:9"]) {
    const model = which === "tabular" ? [] : ["--model", "org/tiny"];
    const ended = await whetstone(["engine", "check", which, "--deterministic", ...model], { folder });
    expect([which, ended.code]).toEqual([which, 3]);
    expect(ended.stderr).toContain("--deterministic is for the local engine");
  }
});

test.concurrent("engine check takes no key for an engine of this machine", async () => {
  const { code, stderr } = await whetstone(["engine", "check", "tabular", "--key", "k"], { folder });
  expect(code).toBe(3);
  expect(stderr).toContain("--key is for a server");
});
