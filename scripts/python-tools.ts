import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipInstall, withoutPythonSettings } from "../src/model/engine/local/environment-build.ts";
import { installEngine, runCommand } from "../src/model/engine/local/index.ts";
import { lockFile } from "../src/model/engine/local/install-lock.ts";

export interface PythonTools {
  /** The interpreter of the engine's environment. */
  readonly python: string;
  /** With the test packages on its path, and none of the user's own settings. */
  readonly environment: NodeJS.ProcessEnv;
}

const engineFolder = join(import.meta.dirname, "..", "torch-engine");
const prefix = "test-packages-";

/**
 * The engine's Python with what its tests and benches need beside it (pytest, ruff, transformers, peft): installed into a folder
 * of the engine's environment, so that it is shared by all checkouts, leaves the workers as users have them, and goes when
 * `whetstone engine remove` is called. May be interrupted, and run by several processes at once.
 */
export async function pythonTools(): Promise<PythonTools> {
  const { python, folder } = await installEngine({
    onProgress: (what, done, total) => console.error(`the engine: ${what} (${done}/${total})`),
  });
  const requirements = join(engineFolder, "requirements-test.txt");
  // With what they depend on, they would bring a torch of their own.
  const bare = join(engineFolder, "requirements-test-bare.txt");
  const constraints = join(engineFolder, "requirements.txt");
  const environment = { ...withoutPythonSettings(process.env), PYTHONUTF8: "1", OMP_NUM_THREADS: "1" };
  const hash = createHash("sha256")
    .update(await readFile(requirements))
    .update(await readFile(bare))
    .update(await readFile(constraints));
  const packages = join(folder, prefix + hash.digest("hex").slice(0, 16));
  if (!existsSync(packages)) {
    using _lock = await lockFile(join(folder, "test-packages.lock"));
    if (!existsSync(packages)) {
      console.error("installing the packages of the Python tests");
      for (const name of await readdir(folder))
        if (name.startsWith(prefix)) await rm(join(folder, name), { recursive: true, force: true });
      const unfinished = join(folder, `${prefix}unfinished`);
      await install(python, ["--target", unfinished, "-r", requirements, "-c", constraints], environment);
      await install(python, ["--target", unfinished, "--no-deps", "-r", bare], environment);
      await rename(unfinished, packages);
    }
  }
  return { python, environment: { ...environment, PYTHONPATH: packages } };
}

async function install(
  python: string,
  what: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const { code, lines } = await runCommand(python, [...pipInstall, ...what], {
    environment,
  });
  if (code !== 0) throw new Error(`pip ended with exit code ${code}:\n${lines.slice(-12).join("\n")}`);
}
