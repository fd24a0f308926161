import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import {
  isWhetstoneError,
  type Json,
  messageOf,
  readOptions,
  userError,
  WhetstoneError,
} from "../../foundation/base/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import type { EngineProgress } from "../../model/engine/index.ts";
import { mergeAdapters } from "../../model/engine/local/index.ts";
import { certificateText } from "../certificate/file.ts";
import { digestFact } from "../round/folder-digest.ts";
import { functionOf, projectFolder, runName, whichWeights } from "./arguments.ts";
import { findCertificate } from "./certificate/find.ts";
import { baseModelOf } from "./export/base-model.ts";
import { exportedConfig } from "./export/config.ts";
import { certificateFile, modelCard } from "./export/model-card.ts";
import { storedType } from "./export/stored-type.ts";
import { readRun } from "./find-run.ts";
import { type SavedWeights, type WhichWeights, weightsOf, wholeCheckpoint } from "./weights.ts";

export interface ExportOptions {
  /** The project folder of a run; the current folder if left out. */
  readonly folder?: string;
  /** The folder to write: not there yet, or empty. */
  readonly to: string;
  /** Default the champion. */
  readonly which?: WhichWeights;
  /** A run by its name; the last one if left out. */
  readonly run?: string;
  /** Of adapters, write these by themselves, as `peft` reads them, in place of the model that they make with their base. */
  readonly adapter?: boolean;
  readonly onProgress?: EngineProgress;
}

export interface Exported {
  readonly run: string;
  /** The round that made the weights; 0 is the preparation. */
  readonly round: number;
  readonly checkpoint: string;
  readonly path: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  to: z.string().min(1),
  which: whichWeights.default("champion"),
  run: runName,
  adapter: z.boolean().default(false),
  onProgress: functionOf<EngineProgress>(),
});

/** Of a checkpoint, what only a run that trains on needs, or what is written anew. */
const ownFiles = ["whetstone.json", "optimizer.safetensors", "config.json"];
const adapterFile = "adapter_model.safetensors";

/**
 * Writes a run's weights as a Hugging Face folder that `transformers` loads: configuration, weights, tokenizer, chat template and
 * a model card with what was shown and what was not, and the certificate of weights that were promoted. Adapters are added to their base, unless they are wanted by themselves.
 * The folder is there whole or not at all. Throws user errors `no-run`, `no-weights`, `checkpoint-damaged`, `export-exists`, `not-exportable`,
 * `no-adapter`, `base-missing` and `base-changed`, and an environment error `no-space`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * await exportModel({ folder, to: join(folder, "better") }).catch(({ code }) => console.log(code)); // "not-exportable": a table
 */
export async function exportModel(options: ExportOptions): Promise<Exported> {
  const { folder, which, run, adapter, onProgress, ...read } = readOptions(
    "exportModel()",
    optionsSchema,
    options,
  );
  const to = resolve(read.to);
  await refuseFull(to);
  const recorded = readRun(folder, run);
  const weights = weightsOf(recorded.events, which);
  const source = await wholeCheckpoint(folder, weights.checkpoint);
  const adapters = existsSync(join(source, adapterFile));
  if (adapter && !adapters)
    throw userError(
      "no-adapter",
      `The weights of ${weights.checkpoint} are a whole model's: leave --adapter out.`,
      { path: source },
    );
  const apart = adapters && adapter;
  await using whole =
    adapters && !apart
      ? await merged(source, to, folder, onProgress)
      : { path: source, [Symbol.asyncDispose]: async () => undefined };
  const names = await readdir(whole.path);
  const weightsFile = apart ? adapterFile : "model.safetensors";
  if (!names.includes(weightsFile))
    throw userError(
      "not-exportable",
      `The weights of ${weights.checkpoint} are a table of the tabular engine, which no other program reads: export a run of local().`,
      { path: source },
    );
  const type = await storedType(join(whole.path, weightsFile));
  using ledger = readLedger({ folder });
  const certificate = await certificateOf(folder, recorded.record.id, weights);
  const written: Record<string, string> = {
    ...(certificate === undefined
      ? {}
      : { [certificateFile]: `${certificateText(certificate as unknown as Json)}\n` }),
    ...(apart ? {} : { "config.json": await exportedConfig(join(whole.path, "config.json"), type) }),
    "README.md": modelCard({
      ...recorded,
      weights,
      which,
      title: basename(to),
      base: await baseModelOf(recorded.record.description, folder),
      hasTemplate: names.includes("chat_template.jinja") || (await namesTemplate(whole.path, names)),
      digestOf: (checkpoint) => textOf(ledger?.getFact(digestFact(checkpoint))),
      certificate: certificate?.hash,
      stored: adapters ? { type, adapters: apart ? "apart" : "merged" } : { type },
    }),
  };
  const copied = names.filter((name) => !ownFiles.includes(name));
  const bytes = await writeWhole(to, whole.path, copied, written);
  return {
    run: recorded.record.id,
    ...weights,
    path: to,
    files: [...copied, ...Object.keys(written)].sort(),
    bytes,
  };
}

/** The certificate of these weights, as its artifact holds it: without a signature, which is the file's that was signed. */
async function certificateOf(folder: string, run: string, { round }: SavedWeights) {
  try {
    return (await findCertificate(folder, { run, round })).certificate;
  } catch (error) {
    if (isWhetstoneError(error) && error.code === "no-certificate") return undefined;
    throw error;
  }
}

const textOf = (fact: Json | undefined): string | undefined => (typeof fact === "string" ? fact : undefined);

/** The whole model, beside where it is to be written; it goes when it was. */
async function merged(
  from: string,
  to: string,
  folder: string,
  onProgress: EngineProgress | undefined,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = join(dirname(to), `.${basename(to)}.${process.pid}.merged`);
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  await remove();
  await mergeAdapters({
    from,
    to: path,
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(onProgress ? { onProgress } : {}),
  });
  return { path, [Symbol.asyncDispose]: remove };
}

async function namesTemplate(folder: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes("tokenizer_config.json")) return false;
  const file = await open(join(folder, "tokenizer_config.json"));
  try {
    return /"chat_template"\s*:\s*["[]/.test(await file.readFile("utf8"));
  } finally {
    await file.close();
  }
}

async function refuseFull(to: string): Promise<void> {
  if (!existsSync(to)) return;
  const isFolder = (await stat(to)).isDirectory();
  if (isFolder && (await readdir(to)).length === 0) return;
  throw userError(
    "export-exists",
    `${to} ${isFolder ? "is not empty" : "is a file"}: export into a folder that is not there yet.`,
    { path: to },
  );
}

/** Under a temporary name, synced, renamed: a folder that exists is whole. Returns its bytes. */
async function writeWhole(
  to: string,
  source: string,
  copied: readonly string[],
  written: Readonly<Record<string, string>>,
): Promise<number> {
  const temporary = join(dirname(to), `.${basename(to)}.${process.pid}.writing`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    for (const name of copied) await copyFile(join(source, name), join(temporary, name));
    for (const [name, text] of Object.entries(written)) await writeFile(join(temporary, name), text);
    let bytes = 0;
    for (const name of await readdir(temporary)) bytes += await syncFile(join(temporary, name));
    await syncFile(temporary);
    await rename(temporary, to);
    await syncFile(dirname(to));
    return bytes;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw writingFault(error, to);
  }
}

async function syncFile(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function writingFault(error: unknown, path: string): WhetstoneError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  // Somebody else was faster: a folder is only ever renamed onto an empty one.
  if (["EEXIST", "ENOTEMPTY"].includes(code))
    return userError("export-exists", `${path} is there by now: export into another folder.`, { path });
  return new WhetstoneError({
    code: full ? "no-space" : "file-unwritable",
    category: full ? "environment" : "user",
    message: full
      ? `No space is left on the disk of ${path}: free some and run the same command again.`
      : `Cannot write ${path} (${messageOf(error)}): choose a folder that is yours.`,
    details: { path },
    cause: error,
  });
}
