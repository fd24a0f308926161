import { join } from "node:path";
import { installEngine, workerEnvironment } from "../../src/model/engine/local/index.ts";

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

/** What both sides run under: as many threads as said, and all settings that the engine gives its own workers. */
export function fairEnvironment(threads: number): NodeJS.ProcessEnv {
  const { PYTHONPATH, ...settings } = workerEnvironment(process.env, "", threads);
  return { ...settings, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" };
}
