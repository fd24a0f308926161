import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownFolder } from "../../foundation/base/index.ts";

/** The version of this package, as its package.json says. */
export const packageVersion: string = (
  JSON.parse(readFileSync(join(ownFolder, "package.json"), "utf8")) as { version: string }
).version;
