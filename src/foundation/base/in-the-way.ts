import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { WhetstoneError } from "./errors.ts";

const codes = new Set(["EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY"]);

/**
 * What stands where something else is to be, as an environment error `in-the-way` that names it: a folder in place of a file, or a file in
 * place of a folder. Undefined where an error is none of these. `path` is where something was to be read or written.
 */
export function inTheWay(error: unknown, path: string): WhetstoneError | undefined {
  const { code = "", path: at, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  if (!codes.has(code)) return undefined;
  for (const place of [dest, at, path]) {
    if (place === undefined) continue;
    const found = blockerOf(resolve(place), code === "EISDIR" || code === "ENOTEMPTY");
    if (found !== undefined) return placeTaken(found.path, found.is, error);
  }
  return undefined;
}

/** An environment error `in-the-way`: a folder is where a file is to be, or a file where a folder is. */
export function placeTaken(path: string, by: Blocker["is"], cause?: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "in-the-way",
    category: "environment",
    message: `${path} is a ${by} where a ${by === "file" ? "folder" : "file"} is to be: move it away, put back what was there if there was something, and run the same command again.`,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

interface Blocker {
  readonly path: string;
  readonly is: "file" | "folder";
}

function blockerOf(place: string, wantedFile: boolean): Blocker | undefined {
  if (wantedFile) return kindOf(place) === "folder" ? { path: place, is: "folder" } : undefined;
  // The nearest thing on the way that is there: below a file nothing can be.
  for (let path = place; ; path = dirname(path)) {
    const kind = kindOf(path);
    if (kind === "file") return { path, is: "file" };
    if (kind === "folder" || path === dirname(path)) return undefined;
  }
}

function kindOf(path: string): Blocker["is"] | undefined {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    // Nothing is there, or what should hold it is a file.
    return undefined;
  }
}
