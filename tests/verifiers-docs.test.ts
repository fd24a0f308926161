import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as whetstone from "../src/index.ts";
import { command, runCanaries, verifierChecks } from "../src/index.ts";
import { root, temporaryFolder } from "./cli-program.ts";

const page = readFileSync(join(root, "docs/verifiers.md"), "utf8");
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";

describe("the program in Python on docs/verifiers.md", () => {
  const folder = temporaryFolder();
  const script = block("python");
  writeFileSync(join(folder, "verify.py"), script);
  const verifier = command({ command: ["python3", "verify.py"], cwd: folder });
  const samples = [
    ["Initials of Ada Lovelace?", "A.L."],
    ["Initials of Alan Mathison Turing?", "AMT"],
    ["Initials of Emmy Noether?", "E N"],
  ].map(([prompt = "", answer = ""]) => ({ prompt, answer }));

  test("has about 15 lines", () => {
    const lines = script.split("\n").filter((line) => line.trim() !== "");
    expect(lines.length).toBeLessThanOrEqual(15);
    expect(lines.length).toBeGreaterThan(5);
  });

  test.each(verifierChecks(verifier, samples).map(({ name, run }) => [name, run] as const))(
    "%s",
    async (_name, run) => {
      await run();
      await verifier.close?.();
    },
  );
});

test("the function on docs/verifiers.md passes its canaries", async () => {
  const made = new Function("verifierFrom", `return ${block("ts")}`) as (
    make: unknown,
  ) => ReturnType<typeof command>;
  const verifier = made(whetstone.verifierFrom);
  const item = { canonical: "", prompt: "", difficulty: 1, stratum: "", split: "none", source: "" } as const;
  const canaries = () => verifier.canaries?.(item, []) ?? [];
  expect(await runCanaries({ name: "docs", verifier, canaries })).toEqual({ right: 1, wrong: 2 });
});

test("docs/verifiers.md names every verifier there is, and every option of a command", () => {
  const names = [
    ...page.matchAll(/^\| `([a-zA-Z]+)` \| .* where|^\| `([a-zA-Z]+)` \| (?:the|what|your)/gm),
  ].map(([, one, other]) => one ?? other ?? "");
  expect(names).toEqual([
    "exact",
    "numeric",
    "multipleChoice",
    "regex",
    "json",
    "math",
    "verifierFrom",
    "command",
    ...names.slice(8),
  ]);
  for (const name of names.slice(0, 8)) expect(whetstone).toHaveProperty(name);
  const options = [
    "cwd",
    "timeoutMs",
    "startTimeoutMs",
    "restarts",
    "workers",
    "window",
    "name",
    "version",
    "canaries",
  ];
  for (const option of options) expect(page).toContain(`\`${option}\``);
  expect(() => command({ command: ["x"], unknown: 1 } as never)).toThrow(
    new RegExp(
      options
        .slice(1)
        .map((option) => `"${option}"`)
        .join(", "),
    ),
  );
});
