import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../../foundation/base/index.ts";
import type { Place } from "./environment-build.ts";
import type { Python } from "./python.ts";

/** A whole environment of the engine that is not the one that would be used. */
export interface OtherEnvironment {
  readonly folder: string;
  /** The Python that it was made with. */
  readonly base: Python;
  readonly versions: Readonly<Record<string, string>>;
  /** Whether it holds the packages that are wanted now, so that it would be used if its Python were the one that is found. */
  readonly fits: boolean;
}

/** The folder of the environment for these requirements and this version of Python, on this kind of machine. */
export function environmentName(requirements: string, version: string): string {
  return sha256(`${requirements}\0${version}\0${process.platform}-${process.arch}`).slice(0, 16);
}

const markerSchema = z.object({
  environment: z.string(),
  versions: z.record(z.string(), z.string()),
  base: z.object({ path: z.string(), version: z.string() }),
});

/** The other environments in the cache, those that fit first. */
export async function otherEnvironments({
  engines,
  folder: own,
  requirements,
}: Pick<Place, "engines" | "folder" | "requirements">): Promise<OtherEnvironment[]> {
  if (!existsSync(engines)) return [];
  const wanted = await readFile(requirements, "utf8");
  const found: OtherEnvironment[] = [];
  for (const name of (await readdir(engines)).sort()) {
    if (join(engines, name) === own) continue;
    const marker = await readMarker(join(engines, name, "installed.json"));
    if (marker === undefined) continue;
    const { environment, versions, base } = marker;
    const folder = join(engines, name, environment);
    // Its Python may have left since.
    if (!existsSync(join(folder, "bin", "python"))) continue;
    found.push({ folder, base, versions, fits: environmentName(wanted, base.version) === name });
  }
  return found.sort((a, b) => Number(b.fits) - Number(a.fits));
}

/** Undefined where an environment is not finished, or is no environment. */
async function readMarker(path: string): Promise<z.infer<typeof markerSchema> | undefined> {
  try {
    return markerSchema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
