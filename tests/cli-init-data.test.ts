import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines, temporaryFolder, whetstone } from "./cli-program.ts";

const sums = (count: number): string =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ prompt: `${n} + ${n} =`, answer: 2 * n })).join(
    "\n",
  );

/** A folder with a file in it. */
function folderWith(name: string, content: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), content);
  return folder;
}

const configIn = (folder: string): string => readFileSync(join(folder, "whetstone.config.ts"), "utf8");

test.concurrent("--data writes a config that learns from the file, and says what it can show", async () => {
  const folder = folderWith("my sums#1.jsonl", sums(500));
  const { code, stdout, stderr } = await whetstone(["init", "--data", "my sums#1.jsonl", "--yes"], {
    folder,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [rows, verifier, method, gain, , empty, wrote] = stdout.split("\n");
  const [all, ...splits] = (rows?.match(/\d+/g) ?? []).map(Number);
  expect(all).toBe(500);
  expect(splits.reduce((sum, count) => sum + count, 0)).toBe(500);
  expect(rows).toMatch(/^Rows {6}500: \d+ to train on, \d+ to steer by, \d+ to decide by, \d+ to audit$/);
  expect(verifier).toBe("Verifier  numeric: every answer is a number");
  expect(method).toMatch(/^Method {4}round 1 learns from the training answers, later rounds/);
  expect(gain).toMatch(
    /^Gain {6}1[3-7]\.\d points is the smallest .* first opening of the gate, (19|2[0-3])\.\d points at the fourth$/,
  );
  expect([empty, wrote]).toEqual(["", "Wrote whetstone.config.ts and package.json."]);
  const config = configIn(folder);
  expect(config).toContain('file: new URL("./my sums%231.jsonl", import.meta.url), verifier: numeric()');
  expect(config).toMatch(/name: "my sums#1",\n {2}model: "smollm2-135m",\n/);
  expect(config).toMatch(
    /optimize: inTurn\(\n {4}supervisedFineTuning\([\s\S]*precision: "mixed",\n {2}evaluate: .*\n {2}budget: \{ rounds: 5 \}/,
  );
  expect(config).toContain("acquire: [demonstrations(), prompts({ items: 128 })],");
});

test.concurrent("a file in another folder is named relative to the config; programs get the numbers", async () => {
  const kinds = sums(5000)
    .split("\n")
    .map((line, n) => line.replace("{", `{"kind":"${n % 2 ? "odd" : "even"}",`));
  const folder = folderWith("a.jsonl", kinds.join("\n"));
  const { stdout } = await whetstone(
    ["init", "deep/project", "--data", "./a.jsonl", "--model", "tiny", "--rounds", "2", "--json"],
    { folder },
  );
  expect(jsonLines(stdout)).toEqual([
    {
      config: join(folder, "deep/project/whetstone.config.ts"),
      package: join(folder, "deep/project/package.json"),
      dependency: expect.stringMatching(/^file:/),
      model: { kind: "scratch", size: "tiny" },
      rounds: 2,
      data: {
        path: "../../a.jsonl",
        name: "a",
        rows: 5000,
        skipped: 0,
        splits: {
          train: expect.any(Number),
          validation: expect.any(Number),
          decision: expect.any(Number),
          audit: expect.any(Number),
        },
        kinds: { even: 2500, odd: 2500 },
        verifier: "numeric",
        reason: "every answer is a number",
        smallestGain: { first: expect.closeTo(0.054, 2), fourth: expect.closeTo(0.073, 2) },
      },
    },
  ]);
  const config = configIn(join(folder, "deep/project"));
  expect(config).toContain('new URL("../../a.jsonl", import.meta.url)');
  expect(config).toContain("prepare: supervised({ on: demonstrations(), steps: 800, learningRate: 3e-3 }),");
  expect(config).not.toContain("mixed");
});

test.concurrent.each<[string, readonly string[], string]>([
  [
    "words",
    Array.from({ length: 60 }, (_, n) => `word ${n}`),
    "exact: more than 10 different answers, and not all are numbers",
  ],
  [
    "choices",
    Array.from({ length: 60 }, (_, n) => "ABCD"[n % 4] ?? ""),
    "multipleChoice: only 4 different answers",
  ],
])("of %s it chooses the verifier, and says why", async (_, answers, choice) => {
  const rows = answers.map((answer, n) => `question ${n},${answer}`);
  const folder = folderWith("a.csv", ["prompt,answer", ...rows].join("\n"));
  const { stdout } = await whetstone(["init", "--data", "a.csv", "--yes"], { folder });
  expect(stdout).toContain(`\nVerifier  ${choice}\n`);
  const [name] = choice.split(":");
  expect(configIn(folder)).toContain(
    `// ${choice}\n  task: await dataset({ file: new URL("./a.csv", import.meta.url), verifier: ${name}() })`,
  );
});

test.concurrent("of 10 rows it says that no gain can be shown, and how many rows that takes", async () => {
  const few = folderWith("tiny.jsonl", sums(10));
  const { code, stdout } = await whetstone(["init", "--data", "tiny.jsonl", "--yes"], { folder: few });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /\nGain {6}none can be shown with \d rows to decide by: that takes about 1\d\d rows in all, and 500 for 16 points\.\n {10}The run will train and measure, and promote nothing\.\n/,
  );
  expect(configIn(few)).toContain('gate: { mode: "observe" }, // too few lines to show any gain');

  const ten = folderWith("ten.jsonl", sums(10));
  const refused = await whetstone(["init", "--data", "ten.jsonl", "--yes"], { folder: ten });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(
    /^whetstone: ten\.jsonl has 10 rows: .* No gain can be shown with so few; about 1\d\d rows/,
  );
  expect(existsSync(join(ten, "whetstone.config.ts"))).toBe(false);
});

test.concurrent("wrong rows are named before anything is written, and left out on demand", async () => {
  const folder = folderWith("a.jsonl", `${sums(100)}\nnope\n{"promt":"1?","answer":"1"}`);
  const { code, stderr } = await whetstone(["init", "--data", "a.jsonl"], { folder });
  expect(code).toBe(3);
  expect(stderr.split("\n")).toEqual([
    "whetstone: 2 of the 102 rows of a.jsonl are wrong:",
    expect.stringMatching(/^ {2}a\.jsonl:101 is not JSON: /),
    '  a.jsonl:102 has no prompt: it needs prompt or messages, and it has promt, answer; are "promt" and "prompt" meant to be the same?',
    "Mend them, or go on without them: skipInvalid: true in dataset(), --skip of `whetstone init`.",
    "",
  ]);
  expect(existsSync(join(folder, "whetstone.config.ts"))).toBe(false);
  expect(existsSync(join(folder, "package.json"))).toBe(false);
  const { stdout } = await whetstone(["init", "--data", "a.jsonl", "--yes", "--skip"], { folder });
  expect(stdout).toMatch(/^Rows {6}100: .*; 2 wrong ones are left out\n/);
  expect(configIn(folder)).toContain("skipInvalid: true })");
});

test.concurrent.each<[readonly string[], RegExp]>([
  [["--data", "nowhere.jsonl"], /There is no file .*nowhere\.jsonl\./],
  [["--data", "a.jsnl"], /There is no file .*a\.jsnl/],
  [["--data", "a.jsonl", "--task", "reverse"], /--data and --task exclude each other/],
  [
    ["--data", "a.jsonl", "--model", "smolm2-135m"],
    /There is no model smolm2-135m; did you mean smollm2-135m\?/,
  ],
  [["--data", "a.jsonl", "--rounds", "x"], /Rounds are a whole number/],
  [["--answer-column", "solution"], /--answer-column names a column of a file: name the file with --data\./],
  [["--data", "a.jsonl", "--answer-column", "anser"], /a\.jsonl:1 has no answer: it needs anser or/],
  [["--skip"], /--skip leaves out wrong rows of a file: name the file with --data\./],
])("%j gets a sentence and writes nothing", async (flags, sentence) => {
  const folder = folderWith("a.jsonl", sums(100));
  const { code, stderr } = await whetstone(["init", "--yes", ...flags], { folder });
  expect(stderr).toMatch(sentence);
  expect(code).toBe(3);
  expect(existsSync(join(folder, "whetstone.config.ts"))).toBe(false);
});

test.concurrent("a file whose columns are called otherwise: it is said how to name them, and they go into the config", async () => {
  const rows = Array.from({ length: 100 }, (_, n) => `${n} + ${n},${2 * n}`);
  const folder = folderWith("qa.csv", ["question,solution", ...rows].join("\n"));
  const refused = await whetstone(["init", "--data", "qa.csv", "--yes"], { folder });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(
    "qa.csv:2 has no prompt: it needs prompt or messages, and it has question, solution",
  );
  expect(refused.stderr).toContain("--prompt-column and --answer-column of `whetstone init`.");
  expect(refused.stderr).not.toContain("--skip");
  const named = ["--prompt-column", "question", "--answer-column", "solution"];
  const { code, stdout } = await whetstone(["init", "--data", "qa.csv", "--yes", ...named], { folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Rows {6}100: /);
  expect(configIn(folder)).toContain(
    'columns: { prompt: "question", answer: "solution" }, verifier: numeric()',
  );
  // What was written is a config that reads the file.
  expect(
    (await whetstone(["init", "again", "--data", "qa.csv", "--yes", "--model", "tiny", ...named], { folder }))
      .code,
  ).toBe(0);
  const planned = await whetstone(["plan", "again"], { folder });
  expect(planned.stderr).toBe("");
  expect(planned.stdout).toContain("validation items");
});

test.concurrent("without a terminal it says what else to give", async () => {
  const folder = folderWith("a.jsonl", sums(100));
  const { code, stderr } = await whetstone(["init", "--data", "a.jsonl"], { folder });
  expect([code, stderr]).toEqual([
    3,
    "whetstone: There is no terminal to ask on: give --model, --rounds, or --yes for the usual.\n",
  ]);
});
