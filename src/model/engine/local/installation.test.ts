import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineStatus, installEngine, removeEngine } from "./index.ts";

/** Environments with no packages in them: what is tested is their care, not PyTorch. */
let folder: string;
let options: { readonly cacheFolder: string; readonly requirements: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-install-"));
  options = { cacheFolder: join(folder, "cache"), requirements: join(folder, "requirements.txt") };
  await writeFile(options.requirements, "# nothing\n");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the engine's environment", () => {
  test("is made once, also by two at once, is found again, and goes when it is removed", async () => {
    const told: string[] = [];
    const onProgress = (label: string): number => told.push(label);
    expect(await engineStatus(options)).toMatchObject({ state: "missing", bytes: 0 });
    const [first, second] = await Promise.all([
      installEngine({ ...options, onProgress }),
      installEngine({ ...options, onProgress }),
    ]);
    expect(second).toEqual(first);
    expect(existsSync(first.python)).toBe(true);
    expect(told.filter((label) => label === "making a Python environment")).toHaveLength(1);
    expect(told.some((label) => label.startsWith("waiting: another process"))).toBe(true);
    told.length = 0;
    expect(await installEngine({ ...options, onProgress })).toEqual(first);
    expect(told).toEqual([]);
    const { state, bytes } = await engineStatus(options);
    expect(state).toBe("installed");
    expect(bytes).toBeGreaterThan(1e6);
    expect(await removeEngine(options)).toEqual({ bytes });
    expect(existsSync(first.python)).toBe(false);
    expect(await engineStatus(options)).toMatchObject({ state: "missing" });
  });

  test("is made anew where a process was killed while making it", async () => {
    const program = `
      const { installEngine } = await import(${JSON.stringify(new URL("./installation.ts", import.meta.url).href)});
      await installEngine({ ...${JSON.stringify(options)}, onProgress: (label) => console.log(label) });`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: dirname(fileURLToPath(import.meta.url)),
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await engineStatus(options)).toMatchObject({ state: "missing" });
    const { folder: environment } = await installEngine(options);
    // What the dead one left behind is gone.
    const kept = (await readdir(dirname(environment))).filter((name) => name.startsWith("environment-"));
    expect(kept).toHaveLength(1);
  });

  test("that cannot be made says what went wrong, and leaves nothing that looks whole", async () => {
    await writeFile(options.requirements, `${join(folder, "no-such-package.whl")}\n`);
    await expect(installEngine(options)).rejects.toMatchObject({
      code: "engine-install-failed",
      category: "environment",
      message: expect.stringMatching(/while installing the rest [\s\S]*no-such-package\.whl/),
    });
    expect(await engineStatus(options)).toMatchObject({ state: "missing" });
  });

  test("is given up when it is asked to, and made the next time", async () => {
    const abort = new AbortController();
    const installing = installEngine({ ...options, signal: abort.signal, onProgress: () => abort.abort() });
    await expect(installing).rejects.toMatchObject({ name: "AbortError" });
    expect(await engineStatus(options)).toMatchObject({ state: "missing" });
  });
}, 120_000);
