/**
 * The test command: every check of the project, or those named (`npm test -- lint vitest`). Checks that need one core
 * run beside those that wait or need the other; their output is shown whole and in this order.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCensus, unexcused } from "./test-census.ts";

interface Section {
  readonly name: string;
  readonly command: string;
  /** Waits for these, whatever comes of them. */
  readonly after?: readonly string[];
  /** Makes no sense unless these pass. */
  readonly requires?: readonly string[];
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
const script = (name: string): string =>
  scripts[name] ?? `echo "package.json has no script ${name}" >&2; exit 1`;

const sections: readonly Section[] = [
  { name: "build", command: script("build") },
  { name: "lint", command: script("lint"), after: ["build"] },
  { name: "types", command: script("typecheck"), after: ["lint"] },
  { name: "imports", command: script("check:imports"), after: ["types"] },
  { name: "dead code", command: script("check:dead"), after: ["imports"] },
  { name: "engine", command: "node bin/whetstone.js engine install", requires: ["build"] },
  { name: "vitest", command: script("test:unit"), requires: ["engine"] },
  { name: "python", command: script("test:python"), requires: ["engine"], after: ["dead code"] },
].filter(({ name }) => exists(name));

/** The engine's sections begin with the engine: its command, and the script that runs its Python tests. */
function exists(name: string): boolean {
  if (name === "engine") return existsSync("src/surface/cli/main.ts");
  return name !== "python" || "test:python" in scripts;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length > 0) {
  console.error(
    `No section ${unknown.join(", ")}; there are: ${sections.map(({ name }) => name).join(", ")}.`,
  );
  process.exit(2);
}
const chosen = sections.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

const folder = mkdtempSync(join(tmpdir(), "whetstone-test-"));
const censusPath = join(folder, "census.json");
const startedAt = performance.now();
const outputs = chosen.map((section) => ({ section, text: "", done: false }));
const outcomes = new Map<string, Promise<Outcome>>();
let shown = 0;

for (const section of chosen) outcomes.set(section.name, follow(section));
const results = await Promise.all(
  chosen.map(async ({ name }) => ({ name, ...((await outcomes.get(name)) as Outcome) })),
);
rmSync(folder, { recursive: true });

console.log(`\n━━ all sections in ${seconds()} s`);
for (const { name, failed, seconds: took } of results) {
  console.log(`${failed > 0 ? "✗" : "✓"} ${name.padEnd(10)} ${took.toFixed(1).padStart(6)} s`);
}
const total = (key: "passed" | "failed" | "skipped"): number =>
  results.reduce((sum, one) => sum + one[key], 0);
const skippedPart = total("skipped") > 0 ? `, ${total("skipped")} skipped` : "";
console.log(`${total("passed")} passed, ${total("failed")} failed${skippedPart}`);
process.exitCode = total("failed") > 0 ? 1 : 0;

async function follow(section: Section): Promise<Outcome> {
  const before = [...(section.requires ?? []), ...(section.after ?? [])];
  await Promise.all(before.map((name) => outcomes.get(name)));
  for (const name of section.requires ?? []) {
    if (((await outcomes.get(name))?.failed ?? 0) === 0) continue;
    show(section, `not run, because ${name} failed\n`);
    finish(section);
    return { passed: 0, failed: 1, skipped: 0, seconds: 0 };
  }
  const begun = performance.now();
  const code = await run(section);
  const outcome = judge(section, code);
  finish(section);
  return { ...outcome, seconds: (performance.now() - begun) / 1000 };
}

function run(section: Section): Promise<number> {
  const color = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = spawn(section.command, {
    shell: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...color, WHETSTONE_TEST_CENSUS: censusPath },
  });
  child.stdout.on("data", (chunk: Buffer) => show(section, chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => show(section, chunk.toString()));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      show(section, `${error.message}\n`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** A section counts as one test, except where it knows its tests. A test skipped without need is a failure. */
function judge(section: Section, code: number): Omit<Outcome, "seconds"> {
  const failed = code === 0 ? 0 : 1;
  if (section.name === "python") {
    const counted = /(?:^|\D)(\d+) passed|^Ran (\d+) test/m.exec(textOf(section));
    return { passed: code === 0 ? Number(counted?.[1] ?? counted?.[2] ?? 1) : 0, failed, skipped: 0 };
  }
  if (section.name !== "vitest") return { passed: 1 - failed, failed, skipped: 0 };
  const census = readCensus(censusPath);
  if (census === undefined) {
    show(section, "vitest ended without saying which tests it ran\n");
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const faults = unexcused(census);
  for (const { test, reason } of faults)
    show(section, `skipped, though this machine could run it (${reason}): ${test}\n`);
  return {
    passed: census.passed,
    failed: Math.max(census.failed, failed) + faults.length,
    skipped: census.skipped.length - faults.length,
  };
}

function textOf(section: Section): string {
  return outputs.find((output) => output.section === section)?.text ?? "";
}

/** Sections are shown in order: the first unfinished one live, later ones when their turn comes. */
function show(section: Section, text: string): void {
  const index = outputs.findIndex((output) => output.section === section);
  const output = outputs[index];
  if (output === undefined) return;
  if (index === shown) {
    if (output.text === "") heading(section);
    process.stdout.write(text);
  }
  output.text += text;
}

function finish(section: Section): void {
  for (const output of outputs) if (output.section === section) output.done = true;
  while (outputs[shown]?.done) {
    const silent = outputs[shown];
    if (silent?.text === "") heading(silent.section);
    shown += 1;
    const next = outputs[shown];
    if (next !== undefined && next.text !== "") {
      heading(next.section);
      process.stdout.write(next.text);
    }
  }
}

function heading(section: Section): void {
  console.log(`\n━━ ${section.name} (${seconds()} s)`);
}

function seconds(): string {
  return ((performance.now() - startedAt) / 1000).toFixed(0);
}
