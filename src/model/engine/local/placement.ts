import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { estimateParameters } from "../estimate-parameters.ts";

/** Up to here one thread a model is faster than several: the matrices are too small to share. */
const smallParameters = 20_000_000;

/** Of a sampler while it is loaded: the weights as they were read, and as they are laid out for decoding. */
const bytesPerParameter = 9;

/** What samplers may take of the machine's memory, so that two of them and a trainer find room. */
const shareOfMemory = 1 / 8;

/** How much of the machine a model asks for. */
export interface Footprint {
  /** It shares the machine with others, a core each; a larger one gets all cores. */
  readonly small: boolean;
  /** A sampler's weights, in bytes. */
  readonly samplerBytes: number;
}

/**
 * Judged before loading, from the config alone; a folder that says nothing usable is left to a worker, whose error names
 * what is wrong.
 */
export async function footprintOf(folder: string): Promise<Footprint> {
  try {
    const parameters = estimateParameters(JSON.parse(await readFile(join(folder, "config.json"), "utf8")));
    return { small: parameters <= smallParameters, samplerBytes: parameters * bytesPerParameter };
  } catch {
    return { small: true, samplerBytes: 0 };
  }
}

/** The workers among which a sampler's rows are divided. */
export interface Cores {
  readonly workers: number;
  readonly threads: number;
  /** Threads of the one worker for large models. */
  readonly largeThreads: number;
  /** Of the machine, in bytes. */
  readonly memory: number;
}

/**
 * Whether a sampler is loaded once a core. A large one is too where copies fit and no core is left out: rows of their own
 * keep threads from waiting for each other, which costs little on an idle machine and much on a busy one.
 */
export function samplesOnEachCore({ small, samplerBytes }: Footprint, cores: Cores): boolean {
  const { workers, threads, largeThreads, memory } = cores;
  return small || (workers * threads >= largeThreads && workers * samplerBytes <= memory * shareOfMemory);
}
