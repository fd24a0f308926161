import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { canForbidCalls } from "./forbidden-calls.ts";

const tools = ["bwrap", "prlimit", "setpriv"] as const;

/**
 * What is missing to run untrusted programs here, in words; undefined where nothing is. They need Linux, bubblewrap, and prlimit and
 * setpriv of util-linux.
 */
export function sandboxMissing(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (process.platform !== "linux") return "untrusted programs run on Linux alone";
  if (!canForbidCalls())
    return `which system calls to forbid is known for x64 and arm64 alone, not for ${process.arch}`;
  const missing = tools.filter((tool) => pathOf(tool, environment) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not installed here (Debian: apt-get install bubblewrap util-linux)`;
}

/** Where a program is found first; undefined where it is not installed. */
export function pathOf(
  tool: (typeof tools)[number],
  { PATH = "/usr/bin:/bin" }: NodeJS.ProcessEnv,
): string | undefined {
  return PATH.split(delimiter)
    .map((folder) => join(folder, tool))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
