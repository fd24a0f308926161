import { availableParallelism, totalmem } from "node:os";
import { z } from "zod";
import { readOptions, systemClock } from "../../../foundation/base/index.ts";
import type { EngineDefinition, EngineProgress } from "../definition.ts";
import { abilities, promised } from "./abilities.ts";
import { cacheFolder as cacheFolderOf } from "./cache-folder.ts";
import { installEngine, packageFolder } from "./installation.ts";
import { LocalEngine } from "./local-engine.ts";
import { recordedMemory } from "./machine.ts";
import { installPlainPackages } from "./plain-packages.ts";

const optionsSchema = z.strictObject({
  workers: z.union([z.literal("auto"), z.number().int().min(1)]).default("auto"),
  threads: z.number().int().min(1).optional(),
  deterministic: z.boolean().default(false),
  cacheFolder: z.string().min(1).optional(),
  logFolder: z.string().min(1).optional(),
  python: z.string().min(1).optional(),
  onProgress: z
    .custom<EngineProgress>((value) => typeof value === "function", "expected a function")
    .optional(),
});

export interface LocalOptions {
  /** Processes for small models; `auto`, the default, is one a core as far as memory goes. */
  readonly workers?: number | "auto";
  /** Threads of each process; by default 1 for small models and all cores for large ones. */
  readonly threads?: number;
  /**
   * Equal calls give equal bits, in this engine and in another one of as many workers and threads: calls to a sampler wait for each
   * other instead of decoding together, and which worker computes what is fixed beforehand. Default false.
   */
  readonly deterministic?: boolean;
  /** Where the Python environment is kept; default `$WHETSTONE_CACHE`, or `whetstone` in the user's cache. */
  readonly cacheFolder?: string;
  /** Where workers keep their logs; default the run's own folder. */
  readonly logFolder?: string;
  /** The Python, 3.11 or newer, to make the environment with; default `$WHETSTONE_PYTHON`, or the first good one on the path. */
  readonly python?: string;
  readonly onProgress?: EngineProgress;
}

const bytesPerWorker = 2 ** 30;
/** A weight, its gradient and its two moments, in 32 bits each. */
const bytesPerParameter = 16;

/**
 * The engine on this machine. The first opening installs PyTorch into a cache folder. Throws a user error
 * `invalid-option`; opening throws what {@link installEngine} throws.
 *
 * @example
 * await using engine = await local({ workers: 2 }).open({ logFolder: "logs" });
 */
export function local(options: LocalOptions = {}): EngineDefinition {
  const { workers, threads, deterministic, cacheFolder, python, ...rest } = readOptions(
    "local()",
    optionsSchema,
    options,
  );
  return {
    name: "local",
    description: {
      workers,
      ...(threads === undefined ? {} : { threads }),
      ...(deterministic ? { deterministic } : {}),
    },
    abilities: { ...abilities, ...(deterministic ? { deterministic: promised } : {}) },
    bytesPerParameter,
    open: async ({ logFolder, signal, onProgress = rest.onProgress }) => {
      const installation = await installEngine({
        ...(cacheFolder === undefined ? {} : { cacheFolder }),
        ...(python === undefined ? {} : { python }),
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      const memoryBytes = await recordedMemory(cacheFolder ?? cacheFolderOf(process.env));
      const cores = availableParallelism();
      const roomFor = Math.max(1, Math.floor(totalmem() / bytesPerWorker));
      return new LocalEngine({
        python: installation.python,
        packageFolder,
        environment: process.env,
        logFolder: rest.logFolder ?? logFolder,
        clock: systemClock,
        workers: workers === "auto" ? Math.min(cores, roomFor) : workers,
        threads: threads ?? 1,
        largeThreads: threads ?? cores,
        deterministic,
        memoryBytes,
        plainPackages: (loading) =>
          installPlainPackages(installation, {
            ...(loading === undefined ? {} : { signal: loading }),
            ...(onProgress === undefined ? {} : { onProgress }),
          }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    },
  };
}
