import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { engineStatus } from "../../../model/engine/local/index.ts";
import type { Environment } from "../context.ts";
import { engineChecks } from "./engine.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-doctor-engine-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program in the folder's `bin`, which alone is on the search path. */
function program(path: string, script: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const environmentOf = (): Environment => ({
  PATH: join(folder, "bin"),
  WHETSTONE_CACHE: join(folder, "cache"),
});

const python = (version = "3.12.1"): void =>
  program(join(folder, "bin", "python3"), `case "$*" in *whetstone*) echo "whetstone ${version} $0";; esac`);

/** An engine that was installed; its Python then does what the script says. */
async function installed(script: string): Promise<void> {
  const { folder: place, base } = await engineStatus({ environment: environmentOf() });
  program(join(place, "made", "bin", "python"), script);
  const marker = { environment: "made", versions: { torch: "2.13.0", safetensors: "0.8.0" }, base };
  writeFileSync(join(place, "installed.json"), JSON.stringify(marker));
}

test("without a Python nothing else is looked for", async () => {
  expect(await engineChecks(environmentOf())).toEqual([
    {
      name: "Python",
      state: "fail",
      found: "not usable",
      advice: expect.stringContaining("Python 3.11 or newer"),
    },
  ]);
});

test("an engine that is not there yet is no failure: the first run installs it", async () => {
  python();
  expect(await engineChecks(environmentOf())).toMatchObject([
    { name: "Python", state: "ok", found: expect.stringMatching(/^3\.12\.1 \(.*\), with venv$/) },
    {
      name: "engine",
      state: "warn",
      found: "not installed yet",
      advice: expect.stringContaining("engine install"),
    },
  ]);
});

test("an engine whose libraries load is whole", async () => {
  python();
  await installed("exit 0");
  expect(await engineChecks(environmentOf())).toMatchObject([
    { state: "ok" },
    { name: "engine", state: "ok", found: "torch 2.13.0, safetensors 0.8.0" },
  ]);
});

test("an engine whose libraries do not load is told how to be mended", async () => {
  python();
  await installed('echo "ImportError: libtorch.so: file too short" >&2; exit 1');
  expect(await engineChecks(environmentOf())).toMatchObject([
    { state: "ok" },
    {
      name: "engine",
      state: "fail",
      found: expect.stringContaining("ImportError: libtorch.so: file too short"),
      advice: expect.stringContaining("engine remove"),
    },
  ]);
});

test("an engine that another Python made is named, and how it would be used", async () => {
  python("3.13.0");
  await installed("exit 0");
  python();
  const other = `one of Python 3.13.0 (${join(folder, "bin", "python3")}) is not used`;
  expect(await engineChecks(environmentOf())).toMatchObject([
    { state: "ok" },
    {
      name: "engine",
      state: "warn",
      found: `not installed for Python 3.12.1, ${other}`,
      advice: expect.stringContaining(`WHETSTONE_PYTHON=${join(folder, "bin", "python3")}`),
    },
  ]);
  await installed("exit 0");
  expect(await engineChecks(environmentOf())).toMatchObject([
    { state: "ok" },
    { name: "engine", state: "ok", found: `torch 2.13.0, safetensors 0.8.0, ${other}` },
  ]);
});
