import { join } from "node:path";
import { installEngine } from "../../src/model/engine/local/index.ts";

export interface PeerEnvironment {
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the engine is compared with, in a Python environment of its own in the cache; installed the first time. */
export async function peerEnvironment(
  requirements: "requirements.txt" | "requirements-gpu.txt" = "requirements.txt",
): Promise<PeerEnvironment> {
  const { python, versions } = await installEngine({
    requirements: join(import.meta.dirname, requirements),
    onProgress: (what, done, total) => console.error(`the peers: ${what} (${done}/${total})`),
  });
  return { python, versions };
}

/** What both sides run under: as many threads as said, and the settings that the engine gives its own workers. */
export function fairEnvironment(threads: number): NodeJS.ProcessEnv {
  const { PYTHONPATH, PYTHONHOME, ...rest } = process.env;
  const count = String(threads);
  return {
    ...rest,
    PYTHONNOUSERSITE: "1",
    PYTHONUTF8: "1",
    HF_HUB_OFFLINE: "1",
    TOKENIZERS_PARALLELISM: "false",
    OMP_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    GOMP_SPINCOUNT: "10000",
    MALLOC_MMAP_THRESHOLD_: String(2 ** 28),
    MALLOC_TRIM_THRESHOLD_: String(2 ** 29),
  };
}
