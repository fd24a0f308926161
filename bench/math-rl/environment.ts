import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, installEngine, runCommand } from "../../src/model/engine/local/index.ts";

const cookbook = "tinker-cookbook==0.6.1";

/** SmolLM2-135M as `whetstone model pull` left it. */
export function pulledModel(): string {
  const folder = join(cacheFolder(process.env), "models", "smollm2-135m");
  if (existsSync(join(folder, "model.safetensors"))) return folder;
  throw new Error(`${folder} is not there: run \`whetstone model pull smollm2-135m\``);
}

interface Recipe {
  /** Where it runs. */
  readonly folder: string;
  /** The Tinker server's. */
  readonly key: string;
  /** Of its command line. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/**
 * Runs `tinker_cookbook.recipes.math_rl.train` as it is published, in a Python environment of its own in the cache with the
 * cookbook in a folder beside it.
 */
export async function runRecipe({ folder, key, settings }: Recipe): Promise<void> {
  const { python, folder: environment } = await installEngine({
    requirements: join(import.meta.dirname, "requirements.txt"),
    onProgress: (what, done, total) => console.error(`the cookbook: ${what} (${done}/${total})`),
  });
  const packages = join(environment, cookbook);
  if (!existsSync(packages)) {
    const unfinished = `${packages}.${process.pid}`;
    const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    await run(python, [...pip, "--no-deps", "--target", unfinished, cookbook], folder, {});
    await rename(unfinished, packages);
  }
  const flags = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await run(python, ["-m", "tinker_cookbook.recipes.math_rl.train", ...flags], folder, {
    PYTHONPATH: packages,
    PYTHONNOUSERSITE: "1",
    HF_HUB_OFFLINE: "1",
    TINKER_API_KEY: key,
    TINKER_TELEMETRY: "0",
  });
}

async function run(
  python: string,
  line: readonly string[],
  folder: string,
  more: NodeJS.ProcessEnv,
): Promise<void> {
  const { code, lines } = await runCommand(python, line, {
    folder,
    environment: { ...process.env, ...more },
  });
  if (code !== 0) throw new Error(`python ended with exit code ${code}:\n${lines.slice(-30).join("\n")}`);
}
