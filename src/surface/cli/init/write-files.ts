import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageVersion } from "../../../loop/run/version.ts";
import { configName } from "../find-config.ts";
import { fileFault } from "../write-whole.ts";

export interface WrittenFiles {
  readonly config: string;
  /** Null where one was there. */
  readonly package: string | null;
}

/** Writes a config, and a package.json where there is none. Throws `no-space` and `file-unwritable`. */
export async function writeFiles(folder: string, config: string): Promise<WrittenFiles> {
  const configPath = join(folder, configName);
  const packagePath = join(folder, "package.json");
  const withPackage = !existsSync(packagePath);
  await naming(folder, () => mkdir(folder, { recursive: true }));
  if (withPackage) await naming(packagePath, () => writeFile(packagePath, packageText()));
  await naming(configPath, () => writeFile(configPath, config));
  return { config: configPath, package: withPackage ? packagePath : null };
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
