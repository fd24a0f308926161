import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileFault } from "../../../foundation/base/index.ts";
import { configIn, configName } from "../find-config.ts";
import { ownDependency } from "./own-dependency.ts";

export interface WrittenFiles {
  readonly config: string;
  /** Null where one was there. */
  readonly package: string | null;
  /** What package.json, where it was written, says of whetstone; null where npm could bring none. */
  readonly dependency: string | null;
}

/** Writes a config, and a package.json where there is none. Throws `no-space` and `file-unwritable`. */
export async function writeFiles(folder: string, config: string): Promise<WrittenFiles> {
  const packagePath = join(folder, "package.json");
  const withPackage = !existsSync(packagePath);
  const configPath = join(folder, withPackage || holdsModules(packagePath) ? configName : moduleName);
  const replaced = configIn(folder);
  const dependency = withPackage ? (ownDependency(folder) ?? null) : null;
  await naming(folder, () => mkdir(folder, { recursive: true }));
  if (withPackage) await naming(packagePath, () => writeFile(packagePath, packageText(dependency)));
  await naming(configPath, () => writeFile(configPath, config));
  // Of two configs the older name would be found first.
  if (replaced !== undefined && replaced !== configPath) await naming(replaced, () => rm(replaced));
  return { config: configPath, package: withPackage ? packagePath : null, dependency };
}

/** A config is a module: in a package that holds none of these (npm's own default) its name has to say so. */
const moduleName = configName.replace(/ts$/, "mts");

function holdsModules(packagePath: string): boolean {
  try {
    const content = JSON.parse(readFileSync(packagePath, "utf8")) as { readonly type?: unknown } | null;
    return content?.type === "module";
  } catch {
    return false;
  }
}

function packageText(dependency: string | null): string {
  const content = {
    private: true,
    type: "module",
    ...(dependency === null ? {} : { dependencies: { whetstone: dependency } }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFault(error, path);
  }
}
