import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isWhetstoneError, nearest, userError } from "../../foundation/base/index.ts";
import type { EngineProgress } from "../engine/index.ts";
import { cacheFolder, type Environment, lockFile, makeFolder, noSpace } from "../engine/local/index.ts";
import { namedModels } from "./catalogue.ts";
import { type Provenance, provenanceFile, readProvenance } from "./provenance.ts";

/** A model that lies in the cache, ready to be loaded. */
export interface StoredModel extends Provenance {
  readonly folder: string;
}

export interface StoreOptions {
  /** What says where the cache is; default the process's own. */
  readonly environment?: Environment;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

export function modelsFolder(environment: Environment = process.env): string {
  return join(cacheFolder(environment), "models");
}

/** Throws a user error `invalid-model-name`. */
export function checkModelName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name)) return name;
  throw userError(
    "invalid-model-name",
    `"${name}" cannot be a model's name: it takes letters, digits, dots, dashes and underscores, and begins with one of the first two.`,
  );
}

export function storedModel(
  name: string,
  { environment }: Pick<StoreOptions, "environment"> = {},
): StoredModel | undefined {
  const folder = join(modelsFolder(environment), name);
  const provenance = name === "" || name.startsWith(".") ? undefined : readProvenance(folder);
  return provenance === undefined ? undefined : { ...provenance, name, folder };
}

/** All of them, by name. */
export function storedModels({
  environment,
}: Pick<StoreOptions, "environment"> = {}): readonly StoredModel[] {
  const models = modelsFolder(environment);
  if (!existsSync(models)) return [];
  return readdirSync(models)
    .sort()
    .flatMap((name) => storedModel(name, environment === undefined ? {} : { environment }) ?? []);
}

/** What a model is, before it has a name and a date. */
export type Filled = Omit<Provenance, "format" | "name" | "added">;

/**
 * Gives the model of that name; where there is none, `fill` writes its files into an empty folder first. What exists is
 * whole: it is written under another name, synced and renamed. May be interrupted at any time and called by several
 * processes at once. Throws `no-space`, `cache-unwritable` and what `fill` throws.
 */
export async function addModel(
  name: string,
  { environment = process.env, onProgress, signal }: StoreOptions,
  fill: (folder: string) => Promise<Filled>,
): Promise<StoredModel> {
  const models = await makeFolder(modelsFolder(environment));
  using _lock = await lockFile(join(models, `.${checkModelName(name)}.lock`), {
    ...(signal ? { signal } : {}),
    onWait: () => onProgress?.(`waiting: another process is adding ${name}`, 0, 1),
  });
  const there = storedModel(name, { environment });
  if (there !== undefined) return there;
  const folder = join(models, name);
  // Whoever left it does not hold the lock any more.
  const temporary = join(models, `.${name}.writing`);
  await rm(temporary, { recursive: true, force: true });
  try {
    await mkdir(temporary);
    const provenance = { format: 1, name, ...(await fill(temporary)), added: new Date().toISOString() };
    await writeSynced(join(temporary, provenanceFile), `${JSON.stringify(provenance, null, 2)}\n`);
    // A folder without provenance, such as half of one that was being removed.
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
    await rm(downloadFolder(name, environment), { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!isWhetstoneError(error) && ["ENOSPC", "EDQUOT"].includes(code)) throw noSpace(models, error);
    throw error;
  }
  return storedModel(name, { environment }) as StoredModel;
}

/** Where the parts of an unfinished download wait to be gone on with. */
export function downloadFolder(name: string, environment: Environment = process.env): string {
  return join(modelsFolder(environment), `.${name}.download`);
}

/** Returns the bytes that it freed. Throws a user error `model-missing`. */
export async function removeModel(
  name: string,
  { environment = process.env, signal }: StoreOptions = {},
): Promise<{ readonly bytes: number }> {
  const model = storedModel(name, { environment });
  if (model === undefined) throw noSuchModel(name, environment);
  const models = modelsFolder(environment);
  using _lock = await lockFile(join(models, `.${name}.lock`), signal ? { signal } : {});
  const bytes = await modelBytes(model);
  // Renamed first, so that half a model is never found; who has its files open keeps them.
  const leaving = join(models, `.${name}.${randomBytes(4).toString("hex")}.removed`);
  await rename(model.folder, leaving).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rm(leaving, { recursive: true, force: true });
  return { bytes };
}

export async function modelBytes({ folder }: StoredModel): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Names the nearest of the models that there are, or could be. */
export function noSuchModel(name: string, environment: Environment = process.env) {
  const known = [...namedModels, ...storedModels({ environment })].map((model) => model.name);
  const meant = nearest(name, [...new Set(known)]);
  return userError(
    "model-missing",
    `There is no model ${name}; ${meant === undefined || meant === name ? "`whetstone model list` shows those that there are." : `did you mean ${meant}?`}`,
    { name },
  );
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, "w");
  await file.writeFile(text);
  await file.sync();
}
