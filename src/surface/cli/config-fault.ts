import { basename, dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, nearest, WhetstoneError } from "../../foundation/base/index.ts";
import { ownExports } from "./own-package.ts";

/** Says in one sentence why a config cannot be loaded, with the line where Node knows it: a user error `config-invalid`. */
export async function configFault(error: unknown, path: string): Promise<WhetstoneError> {
  const message = await sentence(error, path);
  return new WhetstoneError({
    code: "config-invalid",
    category: "user",
    message: `${message.replace(/[.\s]*$/, "")}.`,
    details: { path },
    cause: error,
  });
}

async function sentence(error: unknown, path: string): Promise<string> {
  const { code = "" } = error as NodeJS.ErrnoException;
  const text = messageOf(error).replace(/\s+/g, " ").trim();
  const place = placeOf(error, path);
  const missing = /module '([^']+)' does not provide an export named '([^']+)'/.exec(text);
  if (missing !== null) return `${place}: ${await missingExport(missing[1] as string, missing[2] as string)}`;
  if (code === "ERR_MODULE_NOT_FOUND") return `${place} imports what is not there: ${shortened(text)}`;
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")
    return `${place}: Node only strips types, and cannot run this: ${text}`;
  if (error instanceof SyntaxError) return `${place} does not compile: ${text}`;
  return `${place} failed: ${text}`;
}

async function missingExport(module: string, name: string): Promise<string> {
  const what = `"${module}" has no export "${name}"`;
  if (module !== "whetstone") return what;
  const meant = nearest(name, await ownExports());
  return meant === undefined ? what : `${what}; did you mean "${meant}"?`;
}

/** `Cannot find package 'x' imported from /long/path`: the path is the place that was said already. */
function shortened(text: string): string {
  return text.replace(/ imported from .*$/, "");
}

/** The file and, where Node tells it, the line: first in the stack for what does not compile, else a frame in the config. */
function placeOf(error: unknown, path: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const compiled = /^(?:file:\/\/)?(\/[^\n]*):(\d+)\n/.exec(stack);
  const [file = path, line] =
    compiled === null ? [path, frameIn(stack, path)] : [compiled[1], Number(compiled[2])];
  const beside = relative(dirname(path), file);
  if (line === undefined || beside.startsWith("..")) return basename(path);
  return `${beside} (line ${line})`;
}

function frameIn(stack: string, path: string): number | undefined {
  const [, line] = stack.split(`${pathToFileURL(path).href}:`);
  return line === undefined ? undefined : Number.parseInt(line, 10);
}
