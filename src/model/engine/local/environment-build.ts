import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, isWhetstoneError, WhetstoneError } from "../../../foundation/base/index.ts";
import type { EngineProgress } from "../definition.ts";
import { type Environment, noSpace } from "./cache-folder.ts";
import { stepProgress } from "./install-progress.ts";
import type { Python } from "./python.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

/** Where the environment for one Python and one list of requirements belongs. */
export interface Place {
  /** All environments and their lock. */
  readonly engines: string;
  readonly folder: string;
  /** Says which environment in the folder is whole; written last. */
  readonly marker: string;
  /** The file of pinned packages. */
  readonly requirements: string;
  readonly base: Python;
  readonly environment: Environment;
}

export interface BuildOptions {
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

export const steps = [
  "making a Python environment",
  "installing torch",
  "installing the rest",
  "checking",
] as const;

/** What to install follows. Python compiles what it imports, once; to compile all of torch takes as long as to unpack it. */
export const pipInstall = [
  ...["-m", "pip", "install", "--no-compile"],
  ...["--no-input", "--disable-pip-version-check", "--progress-bar", "off"],
];

/**
 * Builds in a folder of its own name, since an environment cannot be moved and the installer of a process that was
 * killed may still be writing into an older one.
 */
export async function buildEnvironment(place: Place, options: BuildOptions): Promise<void> {
  const { environment: variables } = place;
  await removeUnfinished(place);
  const name = `environment-${randomBytes(4).toString("hex")}`;
  const folder = join(place.folder, name);
  const python = join(folder, "bin", "python");
  const requirements = parseRequirements(await readFile(place.requirements, "utf8"));
  const torch = requirements.filter(({ name }) => name === "torch").map(({ line }) => line);
  const commands: readonly (readonly [string, readonly string[]])[] = [
    [place.base.path, ["-m", "venv", folder]],
    [python, torch.length > 0 ? [...pipInstall, ...torch] : ["--version"]],
    [python, [...pipInstall, "-r", place.requirements]],
    [python, ["-c", checkScript, ...requirements.map(({ name }) => name)]],
  ];
  try {
    let last: CommandResult = { code: 0, lines: [] };
    for (const [index, [program, commandArguments]] of commands.entries()) {
      using progress = stepProgress(steps, index, options.onProgress);
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

/**
 * Settings for the user's own Python would change what is installed, or where, or keep Python from compiling it once and for all.
 * pip's own (indexes, proxies) stay.
 */
export function withoutPythonSettings(environment: Environment): Environment {
  const { PYTHONPATH, PYTHONHOME, PYTHONDONTWRITEBYTECODE, PIP_USER, PIP_TARGET, PIP_PREFIX, ...rest } =
    environment;
  return { ...rest, PYTHONUNBUFFERED: "1", PYTHONNOUSERSITE: "1", LC_ALL: "C.UTF-8" };
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
    await rm(join(place.folder, name), { recursive: true, force: true, maxRetries: 3 }).catch(
      () => undefined,
    );
}

async function writeMarker(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w");
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
}
