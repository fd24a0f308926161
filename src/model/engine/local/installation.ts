import { existsSync, statSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { internalError, ownFolder } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { cacheFolder, type Environment, makeFolder } from "./cache-folder.ts";
import { buildEnvironment, type Place, steps } from "./environment-build.ts";
import { lockFile } from "./install-lock.ts";
import { environmentName, type OtherEnvironment, otherEnvironments } from "./other-environments.ts";
import { findPython, type Python } from "./python.ts";

/** The folder of the Python package. */
export const packageFolder = join(ownFolder, "torch-engine");

export interface InstallationOptions {
  readonly cacheFolder?: string;
  readonly python?: string;
  /** Pinned packages, one a line; `torch==…` is installed before the others. */
  readonly requirements?: string;
  readonly environment?: Environment;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

export interface Installation {
  /** The interpreter inside the virtual environment. */
  readonly python: string;
  readonly folder: string;
  /** The Python that the environment was made with. */
  readonly base: Python;
  /** Installed packages of the requirements, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface EngineStatus {
  readonly state: "installed" | "missing";
  /** Where the environment is, or would be. */
  readonly folder: string;
  readonly base: Python;
  readonly versions: Readonly<Record<string, string>>;
  /** Environments in the cache that would not be used: another Python made them, or for other packages. */
  readonly others: readonly OtherEnvironment[];
  /** What all of the engine's environments in the cache take on the disk. */
  readonly bytes: number;
}

/** The environment if it is whole: the marker is written last, and Python may have left since. */
async function readInstallation(place: Place): Promise<Installation | undefined> {
  try {
    const { environment, versions } = JSON.parse(await readFile(place.marker, "utf8"));
    const folder = join(place.folder, environment);
    const python = join(folder, "bin", "python");
    return existsSync(python) ? { python, folder, base: place.base, versions } : undefined;
  } catch {
    return undefined;
  }
}

async function placeOf(options: InstallationOptions): Promise<Place> {
  const environment = options.environment ?? process.env;
  const { python, signal } = options;
  const base = await findPython({
    environment,
    ...(python ? { python } : {}),
    ...(signal ? { signal } : {}),
  });
  const requirements = options.requirements ?? join(packageFolder, "requirements.txt");
  const engines = join(options.cacheFolder ?? cacheFolder(environment), "engine");
  const folder = join(engines, environmentName(await readFile(requirements, "utf8"), base.version));
  return { engines, folder, marker: join(folder, "installed.json"), requirements, base, environment };
}

/**
 * Makes the virtual environment of the engine's workers, once; returns at once where it is there. May be interrupted at
 * any time and run by several processes at once. Throws `python-missing`, `python-too-old`, `python-venv-missing`,
 * `engine-install-failed`, `no-space` or `cache-unwritable`.
 */
export async function installEngine(options: InstallationOptions = {}): Promise<Installation> {
  const place = await placeOf(options);
  const ready = await readInstallation(place);
  if (ready !== undefined) return ready;
  await makeFolder(place.engines);
  using _lock = await lockFile(join(place.engines, "install.lock"), {
    ...(options.signal ? { signal: options.signal } : {}),
    onWait: (seconds) =>
      options.onProgress?.(
        `waiting: another process is installing the engine (${seconds.toFixed(0)} s)`,
        0,
        steps.length,
      ),
  });
  const built = await readInstallation(place);
  if (built !== undefined) return built;
  await makeFolder(place.folder);
  await buildEnvironment(place, options);
  const installation = await readInstallation(place);
  if (installation === undefined) throw internalError("the engine was installed and is not there");
  return installation;
}

/** What is installed for this Python and these requirements. Throws `python-missing` or `python-too-old`. */
export async function engineStatus(options: InstallationOptions = {}): Promise<EngineStatus> {
  const place = await placeOf(options);
  const installation = await readInstallation(place);
  return {
    state: installation === undefined ? "missing" : "installed",
    folder: installation?.folder ?? place.folder,
    base: place.base,
    versions: installation?.versions ?? {},
    others: await otherEnvironments(place),
    bytes: await sizeOf(place.engines),
  };
}

/** Removes every environment of the engine from the cache; needs no Python. Returns the bytes that it freed. */
export async function removeEngine(options: InstallationOptions = {}): Promise<{ readonly bytes: number }> {
  const engines = join(options.cacheFolder ?? cacheFolder(options.environment ?? process.env), "engine");
  if (!existsSync(engines)) return { bytes: 0 };
  using _lock = await lockFile(
    join(engines, "install.lock"),
    options.signal ? { signal: options.signal } : {},
  );
  const bytes = await sizeOf(engines);
  for (const name of await readdir(engines)) {
    // The marker goes first, so that half of an environment is never taken for a whole one.
    await rm(join(engines, name, "installed.json"), { force: true }).catch(() => undefined);
    if (!name.startsWith("install.lock")) await rm(join(engines, name), { recursive: true, force: true });
  }
  return { bytes };
}

/** Of tens of thousands of files, each of which would wait its turn if it were asked for by itself. */
async function sizeOf(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
