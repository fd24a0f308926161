import { availableParallelism, totalmem } from "node:os";
import { z } from "zod";
import { readOptions, systemClock } from "../../../foundation/base/index.ts";
import type { EngineDefinition, EngineProgress } from "../definition.ts";
import { abilities, promised } from "./abilities.ts";
import { cacheFolder as cacheFolderOf } from "./cache-folder.ts";
import { type Device, deviceToAsk } from "./device.ts";
import { installEngine, packageFolder } from "./installation.ts";
import { LocalEngine } from "./local-engine.ts";
import { recordedMemory } from "./machine.ts";
import { installPlainPackages } from "./plain-packages.ts";

const optionsSchema = z
  .strictObject({
    device: z.enum(["auto", "cpu", "cuda"]).optional(),
    workers: z.union([z.literal("auto"), z.number().int().min(1)]).default("auto"),
    threads: z.number().int().min(1).optional(),
    deterministic: z.boolean().default(false),
    cacheFolder: z.string().min(1).optional(),
    logFolder: z.string().min(1).optional(),
    python: z.string().min(1).optional(),
    onProgress: z
      .custom<EngineProgress>((value) => typeof value === "function", "expected a function")
      .optional(),
  })
  .refine(({ device, deterministic }) => device !== "cuda" || !deterministic, {
    path: ["deterministic"],
    message: 'on a GPU equal bits are not promised; leave it out, or say device: "cpu"',
  })
  .refine(({ device, workers }) => device !== "cuda" || workers === "auto" || workers === 1, {
    path: ["workers"],
    message: "a GPU has one worker for all models",
  });

export interface LocalOptions {
  /**
   * What computes: `cpu`, or `cuda`, a GPU of NVIDIA's, with one worker for all models. `auto`, the default, is a GPU where there
   * is one, except with `deterministic`. Computing on a GPU was tried on one H100.
   */
  readonly device?: Device;
  /** Processes for small models on the CPU; `auto`, the default, is one a core as far as memory goes. */
  readonly workers?: number | "auto";
  /**
   * Threads of each process; by default 1 for small models, whose large batches up to three more processes compute parts of, and all
   * cores for large ones.
   */
  readonly threads?: number;
  /**
   * Equal calls give equal bits, in this engine and in another one of as many workers and threads on this machine: calls to a sampler wait for each
   * other instead of decoding together, and which worker computes what is fixed beforehand. On the CPU only. Default false.
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
/** Beyond four parts, what a part costs besides is most of it. */
const mostHelpers = 3;
/** A weight, its gradient and its two moments, in 32 bits each. */
const bytesPerParameter = 16;

/**
 * The engine on this machine. The first opening installs PyTorch into a cache folder. Throws a user error
 * `invalid-option`; opening throws what {@link installEngine} throws, and loading `device-missing` where a GPU is asked for and
 * none is there.
 *
 * @example
 * await using engine = await local({ workers: 2 }).open({ logFolder: "logs" });
 */
export function local(options: LocalOptions = {}): EngineDefinition {
  const { device, workers, threads, deterministic, cacheFolder, python, ...rest } = readOptions(
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
      ...(device === undefined ? {} : { device }),
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
        helpers: threads === undefined ? Math.min(cores - 1, mostHelpers) : 0,
        deterministic,
        device: deterministic ? "cpu" : deviceToAsk(device ?? "auto"),
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
