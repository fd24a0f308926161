import { WhetstoneError } from "../../../../foundation/base/index.ts";
import type { Verdict } from "../../../../foundation/contract/index.ts";
import type { CommandProcess } from "./command-process.ts";
import type { Program } from "./program.ts";

/** What every request is told of a command that does not work. */
export function verifierFailed(
  { command, folder }: Program,
  how: string,
  lastLines: readonly string[],
): WhetstoneError {
  const said =
    lastLines.length === 0 ? "" : ` The last lines of its standard error:\n${lastLines.join("\n")}`;
  const written = command.join(" ");
  return new WhetstoneError({
    code: "verifier-failed",
    category: "environment",
    message: `The verifier's command \`${written}\` ${how}. Try it by hand in ${folder}: it reads one JSON object a line and writes one.${said}`,
    details: { command: written, folder },
  });
}

/** The verdict on a request at which a process failed. */
export function voidFor(how: string, { lastLines }: CommandProcess): Verdict {
  const said = lastLines.at(-1);
  return { outcome: "void", reason: `the verifier's command ${how}${said === undefined ? "" : `: ${said}`}` };
}

export function times(count: number): string {
  return count === 1 ? "once" : count === 2 ? "twice" : `${count} times`;
}

/** JSON that is the same in every encoding that a program may take its input for. */
export function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
