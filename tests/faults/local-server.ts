import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/foundation/base/index.ts";
import { installEngine, LocalEngine, packageFolder } from "../../src/model/engine/local/index.ts";
import { processOfWorker } from "../../src/model/engine/local/testing/small-engine.ts";
import { serveTinker } from "../../src/model/engine/serve/index.ts";
import { modelName, tinyFolder, WireClient } from "../../src/model/engine/serve/testing/wire-client.ts";

export interface LocalServerOptions {
  readonly workers: number;
  /** Other models than the tiny one. */
  readonly models?: Readonly<Record<string, string>>;
  /** Of memory that the engine takes this machine to have. */
  readonly memoryBytes?: number;
  /** No file that a worker writes may grow beyond so many kibibytes: what a full disk does to it. */
  readonly fileKibibytes?: number;
  /** Its workers end themselves where {@link LocalServer.doom} says. */
  readonly mortal?: boolean;
}

/** The Tinker API over real workers, with a client whose session is open, and what no request should have brought about. */
export interface LocalServer extends AsyncDisposable {
  readonly client: WireClient;
  readonly engine: LocalEngine;
  /** Where checkpoints are, one folder each. */
  readonly checkpoints: string;
  readonly faults: readonly unknown[];
  /** Lets the n-th worker that was started end itself with SIGKILL in the next call of this verb. */
  doom(worker: number, verb: string): Promise<void>;
}

export async function localServer(options: LocalServerOptions): Promise<LocalServer> {
  const { workers, models = {}, memoryBytes, fileKibibytes, mortal = false } = options;
  const folder = await mkdtemp(join(tmpdir(), "whetstone-faults-"));
  const logFolder = join(folder, "logs");
  const { python } = await installEngine();
  const bounded = join(folder, "python");
  if (fileKibibytes !== undefined)
    await writeFile(bounded, `#!/bin/bash\nulimit -f ${fileKibibytes}\nexec "${python}" "$@"\n`, {
      mode: 0o755,
    });
  const engine = new LocalEngine({
    python: fileKibibytes === undefined ? python : bounded,
    packageFolder: mortal ? await mortalPackage(folder) : packageFolder,
    environment: process.env,
    logFolder,
    clock: systemClock,
    workers,
    threads: 1,
    largeThreads: 1,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  });
  const faults: unknown[] = [];
  const stateFolder = join(folder, "state");
  const server = await serveTinker({
    engine,
    models: { [modelName]: tinyFolder, ...models },
    stateFolder,
    onFault: (error) => faults.push(error),
  });
  return {
    client: await new WireClient(server.url).open(),
    engine,
    checkpoints: join(stateFolder, "checkpoints"),
    faults,
    doom: (worker, verb) =>
      writeFile(join(folder, "package", `die-${processOfWorker(logFolder, worker)}`), verb),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The worker's own package, with a module beside it that Python runs first. */
async function mortalPackage(folder: string): Promise<string> {
  const place = join(folder, "package");
  await mkdir(place);
  await symlink(join(packageFolder, "whetstone_engine"), join(place, "whetstone_engine"));
  await copyFile(join(import.meta.dirname, "mortal_worker.py"), join(place, "sitecustomize.py"));
  return place;
}
