import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Ended,
  hold,
  holding,
  isEvent,
  program,
  quickConfig,
  start,
  temporaryFolder,
  whetstone,
} from "./cli-program.ts";

const oldVersion = "20.20.2";

/** This Node, taken for an old one by what it starts. */
const pretending = [
  process.execPath,
  "--import",
  `data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${oldVersion}" } })`,
];

/** The Nodes of this machine that are too old for Whetstone: most systems have one. */
function oldNodes(): string[][] {
  const found = execFileSync("bash", ["-c", "type -ap node || true"], { encoding: "utf8" }).split("\n");
  const paths = found.filter((path) => path !== "").map((path) => realpathSync(path));
  return [...new Set(paths)].flatMap((path) => {
    const version = execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" });
    return Number(version.split(".")[0]) < 22 ? [[path]] : [];
  });
}

const nodes = [pretending, ...oldNodes()];

/** The launcher where nothing else is: what it starts there it cannot find. */
function alone(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "bin"));
  copyFileSync(program, join(folder, "bin", "whetstone.js"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return join(folder, "bin", "whetstone.js");
}

test.each(nodes)("on an old Node (%s) without another one it says one sentence", async (...through) => {
  const { code, stdout, stderr } = await whetstone([], { through: [...through, alone()] });
  expect(stderr).toMatch(
    /^Whetstone needs Node 22\.18 or newer and this is Node [\d.]+: [^\n]*install Node 24[^\n]*\n$/,
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test.each(nodes)(
  "on an old Node (%s) it starts the one that came along, and hands on its exit code",
  async (...through) => {
    const version = await whetstone(["--version"], { through });
    expect({ code: version.code, stderr: version.stderr }).toEqual({ code: 0, stderr: "" });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await whetstone(["rum"], { through })).code).toBe(3);
  },
);

/** A run that is told to end by a signal to its launcher, and does. */
async function signalled(through: readonly string[], signal: NodeJS.Signals): Promise<Ended> {
  const folder = temporaryFolder(quickConfig({ options: holding }));
  const letGo = hold(folder);
  const run = start(["run", "--json"], { folder, through });
  await run.line(isEvent("stage-started", { stage: "select" }));
  run.child.kill(signal);
  await run.note((line) => line.startsWith("Ending at the next safe point"));
  letGo();
  return await run.ended;
}

test.each(nodes)("on an old Node (%s) a signal to the launcher reaches the run", async (...through) => {
  expect((await signalled(through, "SIGTERM")).code).toBe(130);
});

test.each(nodes)("on an old Node (%s) a launcher that is killed takes the run along", async (...through) => {
  // Its output is closed by the last who writes there.
  await signalled(through, "SIGKILL");
});

test("a package that is not built says so", async () => {
  const { code, stderr } = await whetstone([], { through: [process.execPath, alone()] });
  expect(stderr).toMatch(
    /^Whetstone is not built yet \(dist\/ is missing\): run `npm run build` in its folder\.\n$/,
  );
  expect(code).toBe(2);
});
