import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this package, which holds what runs, be it `src/` or `dist/`, and what it needs beside it. */
export const ownFolder: string = folderAbove(import.meta.dirname);

function folderAbove(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : folderAbove(dirname(folder));
}
