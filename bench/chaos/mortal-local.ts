import { copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type EngineDefinition, local } from "whetstone";

/**
 * The local engine over workers that end themselves in the next call of the verb which a file `die-PID` beside their package
 * holds: all is computed then, and nothing answered.
 */
export function mortalLocal(place: string): EngineDefinition {
  const definition = local({ workers: 2, threads: 1, deterministic: true });
  return {
    ...definition,
    open: async ({ logFolder, signal }) => {
      // The very engine of the package that runs.
      const url = new URL("../../dist/model/engine/local/index.js", import.meta.url).href;
      const { installEngine, LocalEngine, packageFolder } = (await import(
        url
      )) as typeof import("../../src/model/engine/local/index.ts");
      const { systemClock } = (await import(
        new URL("../../dist/foundation/base/index.js", import.meta.url).href
      )) as typeof import("../../src/foundation/base/index.ts");
      const { python } = await installEngine(signal ? { signal } : {});
      if (!existsSync(place)) {
        mkdirSync(place);
        symlinkSync(join(packageFolder, "whetstone_engine"), join(place, "whetstone_engine"));
        const mortal = join(import.meta.dirname, "..", "..", "tests", "faults", "mortal_worker.py");
        copyFileSync(mortal, join(place, "sitecustomize.py"));
      }
      return new LocalEngine({
        python,
        packageFolder: place,
        environment: process.env,
        logFolder,
        clock: systemClock,
        workers: 2,
        threads: 1,
        largeThreads: 2,
        deterministic: true,
      });
    },
  };
}
