import { accessSync, constants, statSync } from "node:fs";
import { userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { SandboxRequest } from "./request.ts";

/** MAX_ARG_STRLEN of Linux, its closing zero included. */
const longestArgument = 131_072;
/** A timer's longest, 2³¹ milliseconds. */
const longestSeconds = 2_073_600;
/** ARG_MAX where the stack has its usual eight megabytes, less room for our own arguments and the environment. */
const allArguments = 2 ** 21 - 2 ** 16;

/** Refuses what no sandbox can run: with `sandbox-request`, a user error that says what to give instead. */
export function checkRequest({
  interpreter,
  arguments: given,
  seconds,
  megabytes,
  outputBytes = 1,
}: SandboxRequest): void {
  for (const [name, value] of Object.entries({ seconds, megabytes, outputBytes }))
    if (!(Number.isFinite(value) && value > 0))
      throw wrong(`"${name}" is ${value}: give a number above 0`, name);
  if (seconds > longestSeconds)
    throw wrong(`"seconds" is ${seconds}: give at most ${longestSeconds}, which is 24 days`, "seconds");
  const reason = whyNoProgram(interpreter);
  if (reason !== undefined)
    throw wrong(
      `"interpreter" ${reason}: ${interpreter}. Give the whole path of a program, as process.execPath is`,
      "interpreter",
    );
  const lengths = given.map((argument) => Buffer.byteLength(argument) + 1);
  const longest = Math.max(0, ...lengths);
  const all = lengths.reduce((sum, length) => sum + length, 0);
  if (given.some((argument) => argument.includes("\0")))
    throw wrong('an argument holds a zero character, which ends it: give such text as "input"', "arguments");
  if (longest > longestArgument)
    throw wrong(
      `an argument has ${longest - 1} bytes, and Linux takes ${longestArgument - 1}: give long text as "input", which the program reads from its standard input`,
      "arguments",
    );
  if (all > allArguments)
    throw wrong(
      `the arguments have ${all} bytes together, and Linux takes about ${allArguments}: give long text as "input", which the program reads from its standard input`,
      "arguments",
    );
}

function whyNoProgram(path: string): string | undefined {
  if (!path.startsWith("/")) return "is no absolute path";
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return "does not exist";
  if (!found.isFile()) return "is no file";
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return "may not be executed";
  }
}

function wrong(what: string, option: string): WhetstoneError {
  return userError("sandbox-request", `runSandboxed(): ${what}.`, { option });
}
