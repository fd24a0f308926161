import { WhetstoneError } from "../../../foundation/base/index.ts";
import type { Environment } from "./cache-folder.ts";
import { runCommand } from "./run-command.ts";

export interface Python {
  /** The interpreter itself, behind version switchers and links on the search path. */
  readonly path: string;
  /** Such as `3.11.7`. */
  readonly version: string;
}

export interface PythonOptions {
  /** An interpreter to use and no other; default `$WHETSTONE_PYTHON`, and without it the first good one on the path. */
  readonly python?: string;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

const candidates = ["python3", "python3.13", "python3.12", "python3.11"];
const oldest = [3, 11] as const;
const probe = "import sys; print('whetstone', '.'.join(map(str, sys.version_info[:3])), sys.executable)";

/** Finds the Python that the engine's environment is made with. Throws `python-missing` or `python-too-old`. */
export async function findPython({ python, environment, signal }: PythonOptions): Promise<Python> {
  const named = python ?? (environment.WHETSTONE_PYTHON || undefined);
  let tooOld: Python | undefined;
  for (const name of named === undefined ? candidates : [named]) {
    const found = await probePython(name, environment, signal);
    if (found === undefined) continue;
    if (isNewEnough(found.version)) return found;
    tooOld ??= found;
  }
  if (tooOld !== undefined) throw pythonTooOld(tooOld);
  throw new WhetstoneError({
    code: "python-missing",
    category: "environment",
    message:
      named === undefined
        ? "The engine needs Python 3.11 or newer and none was found: install it (`apt install python3 python3-venv`), or set WHETSTONE_PYTHON to one."
        : `${named} is not a Python that runs; set WHETSTONE_PYTHON to a Python 3.11 or newer, or unset it.`,
  });
}

/** A name may lead to nothing, or to a version switcher's stand-in that fails: both are no Python. */
async function probePython(
  name: string,
  environment: Environment,
  signal: AbortSignal | undefined,
): Promise<Python | undefined> {
  try {
    const { lines } = await runCommand(name, ["-c", probe], { environment, ...(signal ? { signal } : {}) });
    const answer = lines.map((line) => /^whetstone (\d+\.\d+\.\d+) (.+)$/.exec(line)).find((match) => match);
    return answer ? { version: answer[1] as string, path: answer[2] as string } : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

function pythonTooOld({ path, version }: Python): WhetstoneError {
  return new WhetstoneError({
    code: "python-too-old",
    category: "environment",
    message: `The engine needs Python 3.11 or newer; ${path} is ${version}. Install a newer one, or set WHETSTONE_PYTHON to one.`,
    details: { path, version },
  });
}
