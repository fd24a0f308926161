import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines, quickConfig, root, temporaryFolder, whetstone } from "./cli-program.ts";

const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
};

test.concurrent("help, the version, and a command line that cannot be read", async () => {
  const help = await whetstone(["--help"]);
  expect({ code: help.code, stderr: help.stderr }).toEqual({ code: 0, stderr: "" });
  expect(help.stdout).toMatch(/EXIT CODES\n {2}0 {4}done\n/);
  expect((await whetstone(["--version"])).stdout).toBe(`${packageJson.version}\n`);
  const unreadable = await whetstone(["rum"]);
  expect(unreadable).toEqual({
    code: 3,
    signal: null,
    stdout: "",
    stderr: "whetstone: There is no command rum; did you mean `run`?\n",
  });
});

test.concurrent("help of a folder lists the parameters of its config", async () => {
  const { stdout } = await whetstone(["run", join(root, "examples/reverse"), "--help"]);
  expect(stdout).toMatch(
    /PARAMETERS OF .*examples\/reverse\n {2}--filter peers\|length\|none\|verifier +default peers\n/,
  );
  expect(stdout).toMatch(/ {2}--seed NUMBER +default 0\n/);
  // Many choices stand below each other.
  expect(stdout).toMatch(
    / {2}--fault NAME +default none\n +or self-consuming-loop\n +or hackable-verifier\n/,
  );
});

test("plan, run, status and report, for people and for programs", async () => {
  const folder = temporaryFolder(quickConfig());
  const none = await whetstone(["status"], { folder });
  expect(none.stderr).toBe("whetstone: There is no run here yet: start one with `whetstone run`.\n");
  expect(none.code).toBe(3);

  const plan = await whetstone(["plan"], { folder });
  expect(plan.stdout).toMatch(/^quick: one model of [\d,]+ parameters, 1 rounds?\n/);
  const [planned] = jsonLines((await whetstone(["plan", "--json"], { folder })).stdout);
  expect(planned).toMatchObject({ name: "quick", rounds: 1, policies: 1 });

  const run = await whetstone(["run", "--json"], { folder });
  expect(run.stderr).toBe("");
  const lines = jsonLines(run.stdout);
  const { report, champion } = lines.at(-1) as { readonly report: string; readonly champion: string };
  expect(lines.at(-1)).toMatchObject({
    type: "result",
    run: "1-quick",
    outcome: "rounds-spent",
    championRound: 0,
  });
  expect(lines.slice(0, -1).every(({ event }) => typeof event === "object")).toBe(true);
  expect(existsSync(champion)).toBe(true);
  expect(readFileSync(report, "utf8")).toMatch(/^<!doctype html>/i);

  const status = await whetstone(["status"], { folder });
  expect(status.stdout).toMatch(/^Nobody runs here now\.\nquick: 1 round/);
  const [told] = jsonLines((await whetstone(["status", "--json"], { folder })).stdout);
  expect(told).toMatchObject({
    running: null,
    runs: [{ id: "1-quick" }],
    story: { run: "1-quick", state: "finished" },
  });

  const page = await whetstone(["report", "--output", "page.html", "--run", "1-quick"], { folder });
  expect(page.stdout).toBe(
    `The report lies in ${join(folder, "page.html")}; it opens in any browser, offline.\n`,
  );
  expect(readFileSync(join(folder, "page.html"), "utf8")).toContain("quick");
  const wrongRun = await whetstone(["report", "--run", "1-quik"], { folder });
  expect(wrongRun.stderr).toBe("whetstone: There is no run 1-quik here; did you mean 1-quick?\n");
  const wrongPath = await whetstone(["report", "--output", "no/such/page.html"], { folder });
  expect(wrongPath.stderr).toMatch(/^whetstone: Cannot write .*page\.html \(.*\): choose a file/);
  const folderPath = await whetstone(["report", "--output", folder], { folder });
  expect(folderPath.stderr).toMatch(/^whetstone: Cannot write .* \(it is a folder\): choose a file/);
  expect([wrongRun.code, wrongPath.code]).toEqual([3, 3]);
});

test("parameters of a config choose what is planned and run", async () => {
  const config = quickConfig()
    .replace(
      "export default defineRun({",
      "export default withParameters({ start: 1, roundsToPlay: 1 }, ({ start, roundsToPlay }) => defineRun({",
    )
    .replace("budget: { rounds: 1 }", "budget: { rounds: roundsToPlay },\n  seed: start")
    .replace(/\}\);\n$/, "}));\n")
    .replace("tabular }", "tabular, withParameters }");
  const folder = temporaryFolder(config);
  const [planned] = jsonLines(
    (await whetstone(["plan", "--json", "--rounds-to-play", "2", "--start=7"], { folder })).stdout,
  );
  expect(planned).toMatchObject({ rounds: 2 });
  const { stdout } = await whetstone(["run", ".", "--roundsToPlay", "0", "--start", "7"], { folder });
  expect(stdout).toMatch(/run 1-quick .* 0 rounds .* seed 7\n/);
});

test("an edited config starts a new run from the champion, and says so in one line", async () => {
  const folder = temporaryFolder(quickConfig());
  expect((await whetstone(["run"], { folder })).code).toBe(0);
  writeFileSync(join(folder, "whetstone.config.ts"), quickConfig({ options: "seed: 1," }));
  const edited = await whetstone(["run"], { folder });
  expect(edited.stdout).toMatch(
    /^The config has changed since the last run: a new run begins, from the champion\.\nquick .* run 2-quick /,
  );
  expect(edited.code).toBe(0);
  const asJson = jsonLines((await whetstone(["status", "--json"], { folder })).stdout);
  expect(asJson[0]).toMatchObject({ runs: [{ id: "1-quick" }, { id: "2-quick" }] });
});

test.concurrent("doctor looks at everything, and a machine that runs these tests is ready", async () => {
  const folder = temporaryFolder();
  const { code, stdout } = await whetstone(["doctor", "--json"], { folder });
  const [{ ready, checks }] = jsonLines(stdout) as unknown as [
    { ready: boolean; checks: { name: string; state: string }[] },
  ];
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "Node",
      "Python",
      "engine",
      "cores",
      "memory",
      "cache",
      "folder",
      "folder room",
      "SQLite",
      "ledger",
      "terminal",
    ]),
  );
  expect({ ready, failed: checks.filter(({ state }) => state === "fail"), code }).toEqual({
    ready: true,
    failed: [],
    code: 0,
  });
});

test.concurrent("engine status says what is installed", async () => {
  const [status] = jsonLines((await whetstone(["engine", "status", "--json"])).stdout);
  expect(status).toMatchObject({ state: "installed", versions: { torch: expect.stringMatching(/^2\./) } });
  const { stdout } = await whetstone(["engine", "status"]);
  expect(stdout).toMatch(/^state +installed\nfolder +\/.*\npython +3\.\d+\.\d+ \(.*\)\ntakes +[\d,]+ MB\n/);
  const again = await whetstone(["engine", "install", "--json"]);
  expect(jsonLines(again.stdout)).toEqual([
    expect.objectContaining({ python: expect.stringMatching(/bin\/python$/) }),
  ]);
  const more = await whetstone(["engine", "install", "--transformers", "--json"]);
  expect(jsonLines(more.stdout)).toEqual([
    expect.objectContaining({ packages: expect.stringMatching(/plain-packages-[0-9a-f]+$/) }),
  ]);
});
