import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256, WhetstoneError } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { type Environment, makeFolder, noSpace } from "./cache-folder.ts";
import { pipInstall, withoutPythonSettings } from "./environment-build.ts";
import { lockFile } from "./install-lock.ts";
import { stepProgress } from "./install-progress.ts";
import { type Installation, packageFolder } from "./installation.ts";
import { runCommand } from "./run-command.ts";

export interface PlainPackagesOptions {
  /** Pinned packages, all of them: what they depend on is in the list, or in the environment. */
  readonly requirements?: string;
  readonly environment?: Environment;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

const prefix = "plain-packages-";
const defaultRequirements = join(packageFolder, "requirements-plain.txt");
const steps = ["installing transformers, which this model needs"] as const;

async function folderOf({ folder }: Pick<Installation, "folder">, requirements: string): Promise<string> {
  return join(folder, prefix + sha256(await readFile(requirements, "utf8")).slice(0, 16));
}

/** Where the packages that models of the plain path need are installed; undefined where they are not. */
export async function installedPlainPackages(
  installation: Pick<Installation, "folder">,
): Promise<string | undefined> {
  const packages = await folderOf(installation, defaultRequirements);
  return existsSync(packages) ? packages : undefined;
}

/**
 * The folder of the packages that models of the plain path need (transformers), inside the engine's environment: installed
 * there once, found again from then on, gone with it. May be interrupted at any time and run by several processes at once.
 * Throws `engine-install-failed`, `no-space` or `cache-unwritable`.
 */
export async function installPlainPackages(
  { python, folder }: Pick<Installation, "python" | "folder">,
  options: PlainPackagesOptions = {},
): Promise<string> {
  const { requirements = defaultRequirements, environment = process.env, signal, onProgress } = options;
  const packages = await folderOf({ folder }, requirements);
  if (existsSync(packages)) return packages;
  await makeFolder(folder);
  using _lock = await lockFile(join(folder, "plain-packages.lock"), {
    ...(signal ? { signal } : {}),
    onWait: (seconds) =>
      onProgress?.(`waiting: another process is installing transformers (${seconds.toFixed(0)} s)`, 0, 1),
  });
  if (existsSync(packages)) return packages;
  // Older lists, and what a process that was killed left.
  for (const name of await readdir(folder))
    if (name.startsWith(prefix)) await rm(join(folder, name), { recursive: true, force: true });
  const unfinished = join(folder, `${prefix}unfinished-${randomBytes(4).toString("hex")}`);
  try {
    using progress = stepProgress(steps, 0, onProgress);
    await makeFolder(unfinished);
    const { code, lines } = await runCommand(
      python,
      [...pipInstall, "--no-deps", "--target", unfinished, "-r", requirements],
      {
        environment: withoutPythonSettings(environment),
        onLine: progress.line,
        ...(signal ? { signal } : {}),
      },
    );
    if (code !== 0) throw installError(code, lines, folder);
    await rename(unfinished, packages);
    onProgress?.("transformers is installed", steps.length, steps.length);
    return packages;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    throw error;
  }
}

function installError(code: number | null, lines: readonly string[], folder: string): WhetstoneError {
  if (/No space left on device|Errno 28\b/.test(lines.join("\n"))) return noSpace(folder);
  return new WhetstoneError({
    code: "engine-install-failed",
    category: "environment",
    message:
      "A model of this architecture is computed by transformers, and installing that failed " +
      `(exit code ${code}); the same command tries again. Its last lines:\n${lines.slice(-12).join("\n")}`,
    details: { step: steps[0] },
  });
}
