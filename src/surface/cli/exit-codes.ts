import { isWhetstoneError } from "../../foundation/base/index.ts";

/** Every code with which the command ends; scripts may rely on them. */
export const exitCodes = {
  done: 0,
  fault: 1,
  machine: 2,
  input: 3,
  engine: 4,
  stopped: 5,
  contradicted: 6,
  interrupted: 130,
} as const;

/** What each code means, for `--help` and the docs. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [exitCodes.done, "done"],
  [exitCodes.fault, "a fault of Whetstone itself"],
  [exitCodes.machine, "this machine lacks something; the message says what"],
  [exitCodes.input, "a wrong option, config or file, or a folder that another run holds"],
  [exitCodes.engine, "the engine died or refused; the same command goes on from the last step"],
  [exitCodes.stopped, "a guard stopped the run"],
  [exitCodes.contradicted, "a certificate is contradicted"],
  [exitCodes.interrupted, "ended by Ctrl-C or SIGTERM; the same command goes on from the last step"],
];

export function exitCodeOf(error: unknown): number {
  if (!isWhetstoneError(error)) return exitCodes.fault;
  if (error.code === "interrupted") return exitCodes.interrupted;
  switch (error.category) {
    case "user":
      return exitCodes.input;
    case "environment":
      return exitCodes.machine;
    case "engine":
      return exitCodes.engine;
    case "internal":
      return exitCodes.fault;
  }
}
