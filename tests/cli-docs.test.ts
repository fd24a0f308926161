import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exitCodeMeanings } from "../src/surface/cli/exit-codes.ts";
import { root, temporaryFolder, whetstone } from "./cli-program.ts";

const page = readFileSync(join(root, "docs/cli.md"), "utf8");

test("docs/cli.md names every exit code as the help does", () => {
  const rows = [...page.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, meaning]) => [
    Number(code),
    meaning,
  ]);
  expect(rows).toEqual(exitCodeMeanings);
});

test.concurrent("docs/cli.md names every command, and its flags are those of the command", async () => {
  const commands = [
    ...page.matchAll(/^\| `([a-z ]+?)(?: [A-Z]+)*(?: \[FOLDER\])?` \| (.*) \| `whetstone .*` \|$/gm),
  ];
  expect(commands.map(([, name]) => name)).toEqual([
    "init",
    "plan",
    "run",
    "status",
    "watch",
    "report",
    "chat",
    "compare",
    "export",
    "rollback",
    "metrics",
    "certificate show",
    "certificate check",
    "certificate open",
    "certificate sign",
    "trace",
    "approve",
    "reject",
    "verify",
    "gc",
    "doctor",
    "methods list",
    "methods show",
    "model pull",
    "model import",
    "model list",
    "model remove",
    "engine install",
    "engine status",
    "engine remove",
    "engine serve",
    "engine check",
  ]);
  for (const [, name = "", text = ""] of commands) {
    const { stdout } = await whetstone([...name.split(" "), "--help"]);
    for (const [flag] of text.matchAll(/--[\w-]+/g)) expect(stdout).toContain(`${flag} `);
  }
});

test.concurrent("the examples of docs/cli.md are understood", async () => {
  const folder = temporaryFolder();
  const init = /\| `whetstone (init .*)` \|/.exec(page)?.[1] ?? "";
  expect((await whetstone(init.split(" "), { folder })).code).toBe(0);
  const plan = /\| `whetstone (plan .*)` \|/.exec(page)?.[1] ?? "";
  expect((await whetstone(plan.split(" "), { folder: root })).code).toBe(0);
});
