import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { modelSizes, taskNames } from "../src/surface/cli/init/answers.ts";
import { configText } from "../src/surface/cli/init/config-text.ts";
import { findData } from "../src/surface/cli/init/data-answers.ts";
import { dataConfigText } from "../src/surface/cli/init/data-config.ts";
import { jsonLines, program, root, start, temporaryFolder, whetstone } from "./cli-program.ts";

const configIn = (folder: string): string => readFileSync(join(folder, "whetstone.config.ts"), "utf8");

test.concurrent("--yes asks nothing, writes about ten lines and a package.json, and says what to do next", async () => {
  const folder = temporaryFolder();
  const { code, stdout, stderr } = await whetstone(["init", "--yes"], { folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^Wrote whetstone\.config\.ts and package\.json\.\n\n {2}whetstone plan .*\n {2}whetstone run /,
  );
  expect(configIn(folder).trimEnd().split("\n").length).toBeLessThanOrEqual(12);
  expect(JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))).toEqual({
    private: true,
    type: "module",
    // The registry need not have the version of a checkout.
    dependencies: { whetstone: `file:${relative(folder, root)}` },
  });
});

test.concurrent("a config that is there is left as it is, and so is a package.json", async () => {
  const folder = temporaryFolder("export default 1;\n");
  const { code, stderr } = await whetstone(["init", "--yes"], { folder });
  expect(stderr).toBe(
    "whetstone: whetstone.config.ts is there already, and was left as it is. For another one remove that file first, or move it away.\n",
  );
  expect(code).toBe(3);
  expect(configIn(folder)).toBe("export default 1;\n");
  expect(existsSync(join(folder, "package.json"))).toBe(false);
  // What is wrong all the same is said first.
  const missing = await whetstone(["init", "--yes", "--data", "nowhere.jsonl"], { folder });
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining("There is no file ")]);

  const other = temporaryFolder();
  writeFileSync(join(other, "package.json"), "{}");
  const beside = await whetstone(["init", "--yes", "--json"], { folder: other });
  expect(jsonLines(beside.stdout)).toEqual([
    // A package of npm's own kind holds no modules: the config's name has to say that it is one.
    expect.objectContaining({
      config: join(other, "whetstone.config.mts"),
      package: null,
      dependency: null,
      task: "reverse",
    }),
  ]);
  expect((await whetstone(["plan"], { folder: other })).code).toBe(0);
  expect(readFileSync(join(other, "package.json"), "utf8")).toBe("{}");
});

test.concurrent("without a terminal and without --yes it says what to give; with all flags nothing is left to ask", async () => {
  const folder = temporaryFolder();
  const some = await whetstone(["init", "--task", "parity"], { folder });
  expect(some.stderr).toBe(
    "whetstone: There is no terminal to ask on: give --model, --rounds, or --yes for the usual.\n",
  );
  expect(some.code).toBe(3);
  const all = await whetstone(
    ["init", "new/sums", "--task", "addition", "--model", "small", "--rounds", "2"],
    { folder },
  );
  expect(all.code).toBe(0);
  expect(configIn(join(folder, "new/sums"))).toMatch(
    /addition\(\{ digits: \[1, 5\], growTo: 7 \}\)[\s\S]*rounds: 2 /,
  );
  expect(existsSync(join(folder, "whetstone.config.ts"))).toBe(false);
});

test.concurrent("a model of one's own is written relative to the config", async () => {
  const folder = temporaryFolder();
  const model = join(folder, "my-model");
  mkdirSync(model);
  writeFileSync(join(model, "config.json"), "{}");
  const { code } = await whetstone(["init", "project", "--yes", "--model", "./my-model"], { folder });
  expect(code).toBe(0);
  expect(configIn(join(folder, "project"))).toContain('model: "../my-model",');
});

/** [flags, what the sentence says] */
const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [["--task", "revers"], /There is no task revers; did you mean reverse\?/],
  [["--task", "poetry"], /There is no task poetry; there are reverse, addition, parity\./],
  [["--model", "smal"], /There is no model smal; did you mean small\?/],
  [
    ["--model", "./nowhere"],
    /\.\/nowhere is no model: it is tiny, small, smollm2-135m, .*or a Hugging Face folder/,
  ],
  [["--rounds", "0"], /Rounds are a whole number from 1 to 1000, not "0"/],
  [["--rounds", "2.5"], /Rounds are a whole number/],
];

test.concurrent.each(wrong)("%j gets a sentence and writes nothing", async (flags, sentence) => {
  const folder = temporaryFolder();
  const { code, stderr } = await whetstone(["init", "--yes", ...flags], { folder });
  expect(stderr).toMatch(sentence);
  expect(code).toBe(3);
  expect(existsSync(join(folder, "whetstone.config.ts"))).toBe(false);
});

test.concurrent("every config that it writes type-checks against the types that are shipped, and can be planned", async () => {
  const folder = temporaryFolder();
  const models = [
    ...modelSizes.map((size) => ({ kind: "scratch", size }) as const),
    { kind: "folder", path: "../my-model" } as const,
  ];
  for (const task of taskNames)
    for (const model of models) {
      const place = join(folder, `${task}-${model.kind === "folder" ? "folder" : model.size}`);
      mkdirSync(place);
      writeFileSync(join(place, "whetstone.config.ts"), configText({ task, model, rounds: 5 }));
    }
  const files = await writeDataConfigs(folder);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  const options = { paths: { whetstone: [join(root, "dist/index.d.ts")] }, noEmit: true, rootDir: "/" };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: options,
      include: ["*/*.ts"],
    }),
  );
  const typescript = join(root, "node_modules/typescript/bin/tsc");
  await expect(promisify(execFile)(process.execPath, [typescript, "-p", folder])).resolves.toEqual({
    stdout: "",
    stderr: "",
  });
  for (const task of taskNames) {
    const { code, stdout } = await whetstone(["plan", join(folder, `${task}-tiny`), "--json"]);
    expect([task, code]).toEqual([task, 0]);
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ name: task, rounds: 5 })]);
  }
  for (const name of files) {
    const { code, stdout, stderr } = await whetstone(["plan", join(folder, `${name}-tiny`), "--json"]);
    expect([name, code, stderr]).toEqual([name, 0, ""]);
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ name, rounds: 3 })]);
  }
});

/** Configs for files that ask for each verifier, and of a wrong or a small file; the names of those files. */
async function writeDataConfigs(folder: string): Promise<string[]> {
  const answers: Readonly<Record<string, (n: number) => string>> = {
    numbers: (n) => String(n / 2),
    letters: (n) => "ABCD"[n % 4] ?? "",
    "words#1": (n) => ['it\'s "so"', "no, never", "`{maybe}`"][n % 3] ?? "",
    texts: (n) => `the ${n}th`,
    few: (n) => String(n),
  };
  for (const [name, answerOf] of Object.entries(answers)) {
    const file = join(folder, `${name}.jsonl`);
    const rows = Array.from({ length: name === "few" ? 20 : 200 }, (_, n) =>
      JSON.stringify({ prompt: `Number ${n}?`, answer: answerOf(n), kind: `kind ${n % 2}` }),
    );
    writeFileSync(file, [...rows, "nope"].join("\n"));
    for (const model of [
      { kind: "scratch", size: "tiny" },
      { kind: "named", name: "smollm2-135m" },
    ] as const) {
      const place = join(folder, `${name}-${model.kind === "named" ? "named" : "tiny"}`);
      mkdirSync(place);
      const data = await findData({ file, folder: place, skip: true, columns: {} });
      writeFileSync(join(place, "whetstone.config.ts"), dataConfigText({ data, model, rounds: 3 }));
    }
  }
  return Object.keys(answers);
}

/** The command on a terminal; `script` of util-linux gives it one, and hands on its exit code. */
const onTerminal = (commandLine: string) => [
  "bash",
  "-c",
  `exec script --quiet --return --flush --command '
    stty columns 120 rows 40; exec "${process.execPath}" "${program}" ${commandLine}' /dev/null`,
];

test.concurrent("on a terminal it asks three questions", async () => {
  const folder = temporaryFolder();
  const asked = start([], { folder, through: onTerminal("init"), stdin: true });
  for (const [question, key] of [
    ["What is the model to get better at?", "\u001b[B\r"],
    ["Which model?", "\r"],
    ["How many rounds?", "\u007f12\r"],
  ] as const) {
    await asked.shown(question);
    asked.child.stdin?.write(key);
  }
  expect((await asked.ended).code).toBe(0);
  expect(configIn(folder)).toMatch(/task: addition\([\s\S]*budget: \{ rounds: 12 \}/);
});

test.concurrent("Ctrl-C at a question ends with 130 and writes nothing", async () => {
  const folder = temporaryFolder();
  const asked = start([], { folder, through: onTerminal("init"), stdin: true });
  await asked.shown("What is the model to get better at?");
  asked.child.stdin?.write("\r");
  await asked.shown("Which model?");
  asked.child.stdin?.write("\u0003");
  const { code, stdout } = await asked.ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/whetstone: Nothing was written\./);
  expect(existsSync(join(folder, "whetstone.config.ts"))).toBe(false);
  expect(existsSync(join(folder, "package.json"))).toBe(false);
});

test.concurrent("on a terminal a config that is there is replaced only after a yes", async () => {
  const folder = temporaryFolder("export default 1;\n");
  const replace = (key: string) => async () => {
    const asked = start([], {
      folder,
      through: onTerminal("init --task parity --model tiny --rounds 3"),
      stdin: true,
    });
    await asked.shown("Replace it?");
    asked.child.stdin?.write(key);
    return (await asked.ended).code;
  };
  expect(await replace("\r")()).toBe(3);
  expect(configIn(folder)).toBe("export default 1;\n");
  expect(await replace("y")()).toBe(0);
  expect(configIn(folder)).toMatch(/parity\(/);
});
