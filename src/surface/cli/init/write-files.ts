import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { packageVersion } from "../../../loop/run/version.ts";
import { configIn, configName } from "../find-config.ts";
import { fileFault } from "../write-whole.ts";

export interface WrittenFiles {
  readonly config: string;
  /** Null where one was there. */
  readonly package: string | null;
}

/** Writes a config, and a package.json where there is none. Throws `no-space` and `file-unwritable`. */
export async function writeFiles(folder: string, config: string): Promise<WrittenFiles> {
  const configPath = join(folder, nameFor(folder));
  const replaced = configIn(folder);
  const packagePath = join(folder, "package.json");
  const withPackage = !existsSync(packagePath);
  await naming(folder, () => mkdir(folder, { recursive: true }));
  if (withPackage) await naming(packagePath, () => writeFile(packagePath, packageText()));
  await naming(configPath, () => writeFile(configPath, config));
  // Of two configs the older name would be found first.
  if (replaced !== undefined && replaced !== configPath) await naming(replaced, () => rm(replaced));
  return { config: configPath, package: withPackage ? packagePath : null };
}

/** A config is a module: in a package that holds none of these (npm's own default) its name has to say so. */
function nameFor(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, "package.json");
    if (existsSync(path)) return typeIn(path) === "module" ? configName : configName.replace(/ts$/, "mts");
    if (dirname(at) === at) return configName;
  }
}

function typeIn(path: string): unknown {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { readonly type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}

function packageText(): string {
  const content = { private: true, type: "module", dependencies: { whetstone: packageVersion } };
  return `${JSON.stringify(content, null, 2)}\n`;
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, path);
  }
}
