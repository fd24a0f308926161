import { join } from "node:path";
import { isWhetstoneError, messageOf } from "../../../foundation/base/index.ts";
import {
  engineStatus,
  findPython,
  type OtherEnvironment,
  type Python,
  runCommand,
} from "../../../model/engine/local/index.ts";
import type { Environment } from "../context.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Python with venv, and the engine's environment whole. The engine is only looked for where there is a Python. */
export async function engineChecks(environment: Environment): Promise<readonly Check[]> {
  const python = await findPython({ environment }).catch((error: unknown) => error);
  if (!isPython(python)) return [faultOf("Python", python)];
  const found = `${python.version} (${python.path})`;
  const venv = await runCommand(python.path, ["-c", "import venv, ensurepip"], { environment });
  const venvCheck =
    venv.code === 0
      ? ok("Python", `${found}, with venv`)
      : fail(
          "Python",
          `${found}, without venv`,
          "`apt install python3-venv` brings it, or set WHETSTONE_PYTHON to a Python that has it.",
        );
  return [venvCheck, await engineCheck(environment)];
}

/** An environment that is there, but whose libraries do not load, is told apart from one that is not there yet. */
async function engineCheck(environment: Environment): Promise<Check> {
  try {
    const { state, folder, base, versions, others } = await engineStatus({ environment });
    const fitting = others.filter(({ fits }) => fits);
    if (state === "missing") return missing(base, fitting);
    const script = `import ${["torch", ...Object.keys(versions)].map((name) => name.replaceAll("-", "_")).join(", ")}`;
    const { code, lines } = await runCommand(join(folder, "bin", "python"), ["-c", script], { environment });
    const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    if (code === 0) return ok("engine", [...names, ...fitting.map(unusedWords)].join(", "));
    return fail("engine", `${folder} does not load: ${lines.at(-1) ?? `exit code ${code}`}`, repair);
  } catch (error) {
    return isWhetstoneError(error) ? faultOf("engine", error) : fail("engine", messageOf(error), repair);
  }
}

/** One that another Python has made is not used: which Python that is decides what is installed. */
function missing({ version }: Python, fitting: readonly OtherEnvironment[]): Check {
  const [other] = fitting;
  const install = "The first run installs it, or `whetstone engine install` now.";
  if (other === undefined) return warn("engine", "not installed yet", install);
  return warn(
    "engine",
    [`not installed for Python ${version}`, ...fitting.map(unusedWords)].join(", "),
    `${install} To use the one that is there set WHETSTONE_PYTHON=${other.base.path}.`,
  );
}

function unusedWords({ base: { version, path } }: OtherEnvironment): string {
  return `one of Python ${version} (${path}) is not used`;
}

const repair = "`whetstone engine remove`, then `whetstone engine install`.";

/** The error's own message says what to do; nothing but runs on the local engine need it. */
function faultOf(name: string, error: unknown): Check {
  return fail(name, "not usable", messageOf(error));
}

function isPython(value: unknown): value is Python {
  return typeof value === "object" && value !== null && "version" in value && "path" in value;
}
