import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson, isWhetstoneError, sha256, WhetstoneError } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { cacheFolder, type Environment, makeFolder, noSpace } from "./cache-folder.ts";
import { lockFile } from "./install-lock.ts";
import { findPython, type Python } from "./python.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

/** The folder of the Python package, beside `src/` and `dist/` alike. */
export const packageFolder = fileURLToPath(new URL("../../../../torch-engine", import.meta.url));

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
  /** What all of the engine's environments in the cache take on the disk. */
  readonly bytes: number;
}

interface Place {
  /** All environments and their lock. */
  readonly engines: string;
  /** What belongs to this Python and these requirements. */
  readonly folder: string;
  readonly marker: string;
  readonly requirements: string;
  readonly base: Python;
  readonly environment: Environment;
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
  const base = await findPython({ environment, ...(python ? { python } : {}), ...(signal ? { signal } : {}) });
  const requirements = options.requirements ?? join(packageFolder, "requirements.txt");
  const engines = join(options.cacheFolder ?? cacheFolder(environment), "engine");
  const name = sha256(
    `${await readFile(requirements, "utf8")}\0${base.version}\0${process.platform}-${process.arch}`,
  ).slice(0, 16);
  const folder = join(engines, name);
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
  await makeFolder(place.folder);
  using _lock = await lockFile(join(place.engines, "install.lock"), {
    ...(options.signal ? { signal: options.signal } : {}),
    onWait: (seconds) =>
      options.onProgress?.(
        `waiting: another process is installing the engine (${seconds.toFixed(0)} s)`,
        0,
        steps.length,
      ),
  });
  return (await readInstallation(place)) ?? (await build(place, options));
}

const steps = ["making a Python environment", "installing torch", "installing the rest", "checking"] as const;

/**
 * Builds in a folder of its own name, since an environment cannot be moved and the installer of a process that was
 * killed may still be writing into an older one.
 */
async function build(place: Place, options: InstallationOptions): Promise<Installation> {
  const { environment: variables } = place;
  await removeUnfinished(place);
  const name = `environment-${randomBytes(4).toString("hex")}`;
  const folder = join(place.folder, name);
  const python = join(folder, "bin", "python");
  const requirements = parseRequirements(await readFile(place.requirements, "utf8"));
  const torch = requirements.filter(({ name }) => name === "torch").map(({ line }) => line);
  const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
  const commands: readonly (readonly [string, readonly string[]])[] = [
    [place.base.path, ["-m", "venv", folder]],
    [python, torch.length > 0 ? [...pip, ...torch] : ["--version"]],
    [python, [...pip, "-r", place.requirements]],
    [python, ["-c", checkScript, ...requirements.map(({ name }) => name)]],
  ];
  try {
    let last: CommandResult = { code: 0, lines: [] };
    for (const [index, [program, commandArguments]] of commands.entries()) {
      using progress = stepProgress(index, options.onProgress);
      last = await runCommand(program, commandArguments, {
        environment: withoutPythonSettings(variables),
        onLine: progress.line,
        ...(options.signal ? { signal: options.signal } : {}),
      });
      if (last.code !== 0) throw installError(index, last, place);
    }
    const versions = JSON.parse(last.lines.at(-1) ?? "{}") as Record<string, string>;
    await writeMarker(place.marker, canonicalJson({ environment: name, versions, base: { ...place.base } }));
    options.onProgress?.("the engine is installed", steps.length, steps.length);
    return { python, folder, base: place.base, versions };
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    const { code } = error as NodeJS.ErrnoException;
    if (!isWhetstoneError(error) && code === "ENOSPC") throw noSpace(folder, error);
    throw error;
  }
}

/** Prints the versions as the last line; torch is imported, because a broken library shows only then. */
const checkScript = `
import importlib.metadata, json, sys
if "torch" in sys.argv: import torch
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
`;

function parseRequirements(text: string): { name: string; line: string }[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.replace(/#.*/, "").trim();
    const name = /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(line)?.[0];
    return name === undefined ? [] : [{ name: name.toLowerCase(), line }];
  });
}

/** Settings for the user's own Python would change what is installed, or where. pip's own (indexes, proxies) stay. */
function withoutPythonSettings(environment: Environment): Environment {
  const { PYTHONPATH, PYTHONHOME, PIP_USER, PIP_TARGET, PIP_PREFIX, ...rest } = environment;
  return { ...rest, PYTHONUNBUFFERED: "1", PYTHONNOUSERSITE: "1", LC_ALL: "C.UTF-8" };
}

/** Says once a second, and with every new package, how long a step has been going and what it is at. */
function stepProgress(
  index: number,
  onProgress: EngineProgress | undefined,
): Disposable & { readonly line: (line: string) => void } {
  const began = performance.now();
  let doing = "";
  const tell = (): void => {
    const seconds = Math.round((performance.now() - began) / 1000);
    onProgress?.(
      [steps[index], ...(doing === "" ? [] : [doing]), ...(seconds === 0 ? [] : [`${seconds} s`])].join(" · "),
      index,
      steps.length,
    );
  };
  tell();
  const timer = setInterval(tell, 1000);
  return {
    line: (line) => {
      const shown = describePipLine(line);
      if (shown === undefined || shown === doing) return;
      doing = shown;
      tell();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What pip is doing, in a few words; undefined for lines that say nothing new. */
export function describePipLine(line: string): string | undefined {
  const [, verb, what] = /^\s*(Collecting|Downloading|Processing|Installing collected packages:) (.+)$/.exec(line) ?? [];
  if (verb === undefined || what === undefined) return undefined;
  if (verb === "Collecting") return `finding ${what.split(/[\s;<>=!~[(]/)[0]}`;
  if (verb.startsWith("Installing")) return `unpacking ${what.split(",").length} packages`;
  const [, file = what, size] = /^(\S+)(?: \((.+)\))?/.exec(what) ?? [];
  const distribution = basename(file).split("-")[0];
  return `${verb.toLowerCase()} ${distribution}${size === undefined ? "" : ` (${size})`}`;
}

function installError(step: number, { code, lines }: CommandResult, place: Place): WhetstoneError {
  const text = lines.join("\n");
  const lastLines = lines.slice(-12).join("\n");
  if (/No space left on device|Errno 28\b/.test(text)) return noSpace(place.folder);
  if (step === 0 && /ensurepip|No module named '?venv|python3[\d.]*-venv/.test(text)) {
    return new WhetstoneError({
      code: "python-venv-missing",
      category: "environment",
      message: `${place.base.path} has no venv module: \`apt install python3-venv\` brings it, or set WHETSTONE_PYTHON to a Python that has it.\n${lastLines}`,
      details: { python: place.base.path },
    });
  }
  return new WhetstoneError({
    code: "engine-install-failed",
    category: "environment",
    message: `Setting up the engine failed while ${steps[step]} (exit code ${code}); the same command tries again. Its last lines:\n${lastLines}`,
    details: { step: steps[step] ?? "", python: place.base.path },
  });
}

async function removeUnfinished(place: Place): Promise<void> {
  for (const name of await readdir(place.folder))
    await rm(join(place.folder, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

async function writeMarker(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w");
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
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
    bytes: await sizeOf(place.engines),
  };
}

/** Removes every environment of the engine from the cache; needs no Python. Returns the bytes that it freed. */
export async function removeEngine(options: InstallationOptions = {}): Promise<{ readonly bytes: number }> {
  const engines = join(options.cacheFolder ?? cacheFolder(options.environment ?? process.env), "engine");
  if (!existsSync(engines)) return { bytes: 0 };
  using _lock = await lockFile(join(engines, "install.lock"), options.signal ? { signal: options.signal } : {});
  const bytes = await sizeOf(engines);
  for (const name of await readdir(engines)) {
    // The marker goes first, so that half of an environment is never taken for a whole one.
    await rm(join(engines, name, "installed.json"), { force: true }).catch(() => undefined);
    if (!name.startsWith("install.lock")) await rm(join(engines, name), { recursive: true, force: true });
  }
  return { bytes };
}

async function sizeOf(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}
