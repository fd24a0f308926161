import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLedger } from "../src/foundation/ledger/index.ts";
import { jsonLines, start, temporaryFolder, whetstone } from "./cli-program.ts";

const config = `import { defineRun, reverse } from "whetstone";

export default defineRun({ task: reverse(), budget: { rounds: 0 } });
`;

/** A Python that says that it is of a version, and otherwise does what the script says. */
function fakePython(folder: string, version: string, otherwise: string): string {
  const path = join(folder, "python3");
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in *"'whetstone'"*) echo "whetstone ${version} $0"; exit 0;; esac\n${otherwise}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** An empty cache, and a search path with nothing on it but what the folder `bin` holds. */
function project() {
  const folder = temporaryFolder(config);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const environment = { PATH: bin, WHETSTONE_PYTHON: undefined, WHETSTONE_CACHE: join(folder, "cache") };
  return { folder, bin, environment };
}

const noVenv = `echo "The virtual environment was not created successfully because ensurepip is not available." >&2; exit 1`;

test.concurrent("no Python: a sentence, and nothing is half-made", async () => {
  const { folder, environment } = project();
  const { code, stderr } = await whetstone(["run"], { folder, environment });
  expect(stderr).toMatch(
    /^whetstone: The engine needs Python 3\.11 or newer and none was found: [^\n]*apt install[^\n]*\n$/,
  );
  expect(code).toBe(2);
  expect(existsSync(join(folder, "cache"))).toBe(false);
});

test.concurrent("a Python that is named and does not run", async () => {
  const { folder, environment } = project();
  const named = { ...environment, WHETSTONE_PYTHON: join(folder, "nowhere") };
  const { code, stdout } = await whetstone(["run", "--json"], { folder, environment: named });
  expect(jsonLines(stdout)).toEqual([{ error: expect.objectContaining({ code: "python-missing" }) }]);
  expect(code).toBe(2);
});

test.concurrent("a Python that is too old", async () => {
  const { folder, bin, environment } = project();
  fakePython(bin, "3.9.2", "exit 1");
  const { code, stderr } = await whetstone(["run"], { folder, environment });
  expect(stderr).toMatch(
    /^whetstone: The engine needs Python 3\.11 or newer; [^\n]*bin\/python3 is 3\.9\.2\.[^\n]*\n$/,
  );
  expect(code).toBe(2);
});

test.concurrent("a Python without venv: a sentence, and a later run begins anew", async () => {
  const { folder, bin, environment } = project();
  fakePython(bin, "3.12.1", noVenv);
  for (let again = 0; again < 2; again++) {
    const { code, stderr } = await whetstone(["run"], { folder, environment });
    expect(stderr).toMatch(
      /^whetstone: [^\n]*bin\/python3 has no venv module: `apt install python3-venv` brings it/,
    );
    expect(code).toBe(2);
  }
  using ledger = readLedger({ folder });
  // A run that could not begin has no story yet.
  expect(ledger?.runs().flatMap(({ id }) => ledger.events(id))).toEqual([]);
});

test.concurrent("Ctrl-C while the engine is installed ends at once, and nothing is half-made", async () => {
  const { folder, bin, environment } = project();
  fakePython(bin, "3.12.1", "exec /bin/sleep 600");
  for (const commandLine of [["run"], ["engine", "install"]]) {
    const installing = start(commandLine, { folder, environment });
    const shown = commandLine[0] === "run" ? installing.line : installing.note;
    await shown((line) => line.includes("making a Python environment"));
    installing.child.kill("SIGINT");
    const { code, stdout, stderr } = await installing.ended;
    expect(stdout + stderr).toMatch(
      /Nothing has happened in this run yet|Ended before it was done; the same command goes on/,
    );
    expect(code).toBe(130);
  }
  const status = await whetstone(["engine", "status", "--json"], { folder, environment });
  expect(jsonLines(status.stdout)).toEqual([expect.objectContaining({ state: "missing" })]);
});

test.concurrent("engine commands without Python: the sentence too, but removing needs none", async () => {
  const { folder, environment } = project();
  const install = await whetstone(["engine", "install"], { folder, environment });
  const status = await whetstone(["engine", "status", "--json"], { folder, environment });
  const remove = await whetstone(["engine", "remove"], { folder, environment });
  expect(install.stderr).toMatch(/Python 3\.11 or newer and none was found/);
  expect(jsonLines(status.stdout)).toEqual([{ error: expect.objectContaining({ code: "python-missing" }) }]);
  expect(remove.stdout).toBe("There was no engine to remove.\n");
  expect([install.code, status.code, remove.code]).toEqual([2, 2, 0]);
});

test.concurrent("doctor says which of it is wrong, and what to do", async () => {
  const { folder, bin, environment } = project();
  fakePython(bin, "3.12.1", noVenv);
  const { code, stdout } = await whetstone(["doctor", "--json"], { folder, environment });
  const [answer] = jsonLines(stdout) as [
    { ready: boolean; checks: { name: string; state: string; advice?: string }[] },
  ];
  expect(answer.ready).toBe(false);
  expect(answer.checks.find(({ name }) => name === "Python")).toMatchObject({
    state: "fail",
    advice: expect.stringContaining("apt install python3-venv"),
  });
  const people = await whetstone(["doctor"], { folder, environment });
  expect(people.stdout).toMatch(
    /^ok +Node +\d+\.\d+\.\d+\nfail +Python +3\.12\.1 .*, without venv\n +`apt install/,
  );
  expect(people.stdout).toMatch(/\n\nNot ready: 1 of \d+ checks failed\.\n$/);
  expect([code, people.code]).toEqual([2, 2]);
});
