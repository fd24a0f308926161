import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { packageVersion } from "../../loop/run/version.ts";
import { runCli } from "./app.ts";
import { exitCodeMeanings } from "./exit-codes.ts";

/** Does what a command line says, in this process. */
async function cli(...commandLine: string[]) {
  const written = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") =>
    Object.assign(new EventEmitter(), {
      write: (text: string) => {
        written[name] += text;
        return true;
      },
    });
  const streams = { standard: into("stdout") as never, error: into("stderr") as never };
  const code = await runCli({ commandLine, ...streams, environment: { LC_ALL: "C.UTF-8" } });
  return { code, ...written };
}

test("help documents every exit code, and every command's help shows an example that names it", async () => {
  const help = await cli("--help");
  for (const [code, meaning] of exitCodeMeanings)
    expect(help.stdout).toContain(`  ${String(code).padEnd(3)}  ${meaning}\n`);
  expect(await cli()).toEqual(help);
  expect(await cli("help")).toEqual(help);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  const [, listed = ""] = help.stdout.split("COMMANDS\n");
  const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => [name ?? ""]);
  expect(commands.flat()).toEqual([
    "init",
    "plan",
    "run",
    "status",
    "watch",
    "report",
    "chat",
    "compare",
    "seeds",
    "export",
    "rollback",
    "metrics",
    "certificate",
    "trace",
    "approve",
    "reject",
    "verify",
    "gc",
    "doctor",
    "methods",
    "model",
    "engine",
  ]);
  const engine = ["install", "status", "remove", "check"].map((name) => ["engine", name]);
  const methods = ["list", "show"].map((name) => ["methods", name]);
  const model = ["pull", "import", "list", "remove"].map((name) => ["model", name]);
  const certificate = ["show", "check", "open", "sign"].map((name) => ["certificate", name]);
  for (const command of [...commands, ...engine, ...methods, ...model, ...certificate]) {
    const { code, stdout, stderr } = await cli(...command, "--help");
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`EXAMPLES\n {2}whetstone ${command.join(" ")}`));
    expect(stdout).toContain("--json");
  }
});

test("the version is the package's", async () => {
  expect(await cli("--version")).toEqual({ code: 0, stdout: `${packageVersion}\n`, stderr: "" });
});

test("a method's page says its own defaults, who writes where nobody learns, and where it leaves its paper", async () => {
  const shown = await cli("methods", "show", "r-zero");
  expect(shown.stdout).toMatch(/\n {2}defaults {2}.*attempts 10, band 0\.3–0\.7/);
  expect(shown.stdout).toContain("  pass 2    proposer writes and nobody learns, from the current weights\n");
  expect(shown.stdout).toMatch(
    / {2}pass 3 .*\n {2}items {5}what the pass before it made; none where .*less often than 0\.3 or more than 0\.7\n/,
  );
  expect((await cli("methods", "show", "spin")).stdout).toContain(
    "items     those that are demonstrated; none where",
  );
  expect(JSON.parse((await cli("methods", "show", "r-zero", "--json")).stdout).passes).toMatchObject([
    { roles: ["proposer"], generate: { part: "propose" } },
    { roles: [], writers: ["proposer"], update: { part: "nothing" } },
    { roles: ["solver"], itemsFrom: expect.stringMatching(/^what the pass before it made/) },
  ]);
  expect(shown.stdout).toMatch(
    /\nSOURCE\n.*\n.*\n {2}differs {3}a tied vote gives the solver no answer to learn/,
  );
  expect((await cli("methods", "show", "absolute-zero")).stdout).toMatch(/ {2}defaults {2}turns 8, /);
  const json = JSON.parse((await cli("methods", "show", "score", "--json")).stdout);
  expect(json.differs).toMatch(/their KL with them/);
  expect(JSON.parse((await cli("methods", "show", "rloo", "--json")).stdout)).not.toHaveProperty("differs");
});

test("a method's page says all options with their values, those that are as usual too", async () => {
  const { stdout } = await cli("methods", "show", "grpo");
  const [, defaults] = / {2}defaults {2}(.*)/.exec(stdout) ?? [];
  expect(defaults).toContain(
    "iterations 1, minibatches 1, clipLow 0.8, clipHigh 1.2, average tokens, kl left out",
  );
  expect(stdout).toMatch(/update {4}policy gradient: .*average tokens, iterations 1, .*gradientClipNorm 1\n/);
  expect((await cli("methods", "show", "score")).stdout).toContain("stages [10, 10]");
  const json = JSON.parse((await cli("methods", "show", "grpo", "--json")).stdout);
  expect(json.defaults).toMatchObject({ average: "tokens", clipLow: 0.8, kl: null });
  expect(json.passes).toMatchObject([{ update: { average: "tokens", gradientClipNorm: 1 } }]);
  // What a run is known by stays as it was.
  expect(json.composition.update).not.toHaveProperty("gradientClipNorm");
});

/** [command line, what the sentence says] */
const unreadable: readonly (readonly [readonly string[], RegExp])[] = [
  [["rum"], /There is no command rum; did you mean `run`\?/],
  [["engine", "instal"], /There is no command instal; did you mean `install`\?/],
  [["train-everything"], /There is no command train-everything; `whetstone --help` lists them\./],
  [["--versoin"], /There is no flag --versoin; did you mean --version\?/],
  [["status", "--jsno"], /There is no flag --jsno; did you mean --json\?/],
  [["report", "--outptu", "x.html"], /There is no flag --outptu; did you mean --output\?/],
  [["report", "--output"], /--output needs a value/],
  [["plan", "one", "two"], /This command takes one argument; "two" is one too many\./],
  [["engine", "status", "here"], /This command takes no argument, and "here" is one\./],
  [["engine", "check", "tabula"], /ENGINE cannot be "tabula"; did you mean tabular\?/],
  [
    ["engine", "check", "elsewhere"],
    /ENGINE cannot be "elsewhere"; it is local, tabular, or a server's address/,
  ],
  [["engine", "serve", "--model", "a=b", "--port", "70000"], /--port cannot be 70000: ports go from 0/],
  [["engine", "check", "tabular", "--precision", "fp8"], /--precision cannot be "fp8"; did you mean fp32\?/],
  [["engine", "check", "tabular", "--model", "./nowhere"], /nowhere/],
  [["methods", "sho", "star"], /There is no command methods sho; did you mean `show`\?\n$/],
  [["methods", "show", "sta"], /There is no method "sta"; did you mean star\?/],
  [["model", "pull"], /NAME is missing: `--help` after the command shows an example\./],
  [["model", "pull", "smolm2-135m"], /There is no model smolm2-135m; did you mean smollm2-135m\?/],
  [["model", "import", "nowhere.gguf"], /There is no file or folder .*nowhere\.gguf\./],
  [["model", "remove", "nobody"], /There is no model nobody; `whetstone model list` shows/],
  [["status", "nowhere"], /nowhere does not exist/],
];

test.each(unreadable)("%j gets a sentence", async (commandLine, sentence) => {
  const { code, stdout, stderr } = await cli(...commandLine);
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^whetstone: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  const asJson = await cli(...commandLine, "--json");
  expect(asJson.code).toBe(3);
  expect(JSON.parse(asJson.stdout)).toEqual({ error: expect.objectContaining({ category: "user" }) });
  expect(asJson.stderr).toBe("");
});
