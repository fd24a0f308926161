import { registerHooks } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ownFolder } from "../../foundation/base/index.ts";

const name = "whetstone";

/** The public API of the copy that runs. */
const ownIndex = pathToFileURL(
  extname(import.meta.filename) === ".ts"
    ? join(ownFolder, "src/index.ts")
    : join(ownFolder, "dist/index.js"),
).href;

let lent = false;

/**
 * Lets a config import "whetstone" also where it is not installed beside the config, as after a global installation: then it
 * gets the copy that runs. An installed one goes first.
 */
export function lendOwnPackage(): void {
  if (lent) return;
  lent = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== name) return nextResolve(specifier, context);
      try {
        return nextResolve(specifier, context);
      } catch {
        return { url: ownIndex, format: "module", shortCircuit: true };
      }
    },
  });
}

/** What can be imported from "whetstone". */
export async function ownExports(): Promise<readonly string[]> {
  return Object.keys((await import(ownIndex)) as object);
}
