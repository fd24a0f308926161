import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines, quickConfig, temporaryFolder, whetstone } from "./cli-program.ts";

/** A quick run whose answers a command beside the config judges, by this JavaScript for each request `r`. */
function folderWith(onRequest: string, options = "", onStart = ""): string {
  const config = quickConfig()
    .replace("supervised, tabular }", "supervised, tabular, command }")
    .replace(
      /task: (reverse\(.*\)),/,
      `task: { ...$1, verifier: command({ command: [process.execPath, "verify.cjs"], ${options} }) },`,
    );
  const folder = temporaryFolder(config);
  writeFileSync(
    join(folder, "verify.cjs"),
    `const fs = require("node:fs");
const reply = (value) => console.log(JSON.stringify(value));
const reversed = (prompt) => [...prompt.slice(0, -1)].reverse().join("");
fs.appendFileSync("processes", process.pid + "\\n");
${onStart}
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const r = JSON.parse(line);
  ${onRequest}
});
`,
  );
  return folder;
}

const sound = "reply({ id: r.id, score: r.response === reversed(r.prompt) });";

/** Processes of the command that are still there. */
function left(folder: string): number[] {
  const ids = readFileSync(join(folder, "processes"), "utf8").trim().split("\n").map(Number);
  return ids.filter((id) => existsSync(`/proc/${id}`) || isAlive(id));
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}

test("a run judges by a command beside its config, from wherever it is started, and leaves none behind", async () => {
  const folder = folderWith(sound, "workers: 2,");
  const { code, stderr, stdout } = await whetstone(["run", folder, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(jsonLines(stdout).at(-1)).toMatchObject({ outcome: "rounds-spent" });
  expect(left(folder)).toEqual([]);
});

/** [what the command does, at a request, its options, the exit code, the sentence] */
const wrong: readonly (readonly [string, string, string, number, RegExp])[] = [
  [
    "accepts a wrong answer",
    "reply({ id: r.id, score: 1 });",
    "",
    3,
    /is known to be wrong, and the verifier "command" gave it score 1\. Mend the verifier/,
  ],
  [
    "refuses a right answer",
    "reply({ id: r.id, score: 0 });",
    "",
    3,
    /is known to be right, and the verifier "command" gave it score 0\. Mend/,
  ],
  [
    "gives no score",
    "reply({ id: r.id });",
    "",
    3,
    /no verdict: the verifier's reply .* has neither a "score" nor "void"/,
  ],
  [
    "hangs",
    "",
    "timeoutMs: 1000, startTimeoutMs: 1000,",
    2,
    /gave no answer within 1 s of its first request/,
  ],
  [
    "dies",
    `console.error("no numpy here"); process.exit(1);`,
    "",
    2,
    /exited with code 1, 4 times in a row[\s\S]*no numpy here/,
  ],
  [
    "prints rubbish",
    `console.log("checking");`,
    "",
    2,
    /wrote "checking" to its standard output, which is no reply/,
  ],
  [
    "floods its output",
    `setInterval(() => process.stdout.write("x".repeat(65536)), 0);`,
    "restarts: 0,",
    2,
    /line of more than a megabyte/,
  ],
];

test.each(wrong)(
  "a verifier's command that %s stops the run before it starts",
  async (_what, fault, options, code, sentence) => {
    const folder = folderWith(fault, options);
    const ended = await whetstone(["run", folder]);
    expect(ended.stderr).toMatch(sentence);
    expect(ended.stderr).toMatch(/^whetstone: /);
    expect(ended.code).toBe(code);
    expect(existsSync(join(folder, ".whetstone"))).toBe(false);
    expect(left(folder)).toEqual([]);
  },
);

test("a plan is refused by the same sentence, and leaves no process", async () => {
  const folder = folderWith("reply({ id: r.id, score: 1 });");
  const ended = await whetstone(["plan", folder]);
  expect(ended.stderr).toMatch(/is known to be wrong, and the verifier "command" gave it score 1/);
  expect(ended.code).toBe(3);
  expect(left(folder)).toEqual([]);
});

test("a command that breaks in the middle ends the run by name, and once it is mended the same command goes on", async () => {
  const canaries = 60;
  const breaking = `if (fs.existsSync("breaks") && (judged += 1) > ${canaries}) { console.error("the disk is full"); process.exit(1); } ${sound}`;
  // Processes that come after the break break at once.
  const onStart = `let judged = fs.readFileSync("processes", "utf8").trim().split("\\n").length > 1 ? ${canaries} : 0;`;
  const folder = folderWith(breaking, "", onStart);
  writeFileSync(join(folder, "breaks"), "");
  const broken = await whetstone(["run", folder]);
  expect(broken.stderr).toMatch(
    /exited with code 1, 4 times in a row without an answer between[\s\S]*the disk is full/,
  );
  expect(broken.code).toBe(2);
  expect(left(folder)).toEqual([]);
  rmSync(join(folder, "breaks"));
  const mended = await whetstone(["run", folder, "--json"]);
  expect({ code: mended.code, stderr: mended.stderr }).toEqual({ code: 0, stderr: "" });
});
