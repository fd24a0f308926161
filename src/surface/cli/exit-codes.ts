import { isWhetstoneError } from "../../foundation/base/index.ts";

/** Every code with which the command ends; scripts may rely on them. */
export const exitCodes = {
  done: 0,
  /** A fault of Whetstone itself. */
  fault: 1,
  /** The machine lacks something: Python, disk space, a newer Node. */
  machine: 2,
  /** A wrong option, config or file, or a folder that another run holds. */
  input: 3,
  /** The engine's process died or refused; the ledger is whole, the same command goes on. */
  engine: 4,
  /** A guard stopped the run. */
  stopped: 5,
  /** Ended by Ctrl-C or SIGTERM at a safe point; the same command goes on. */
  interrupted: 130,
} as const;

/** What each code means, for `--help` and the docs. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [exitCodes.done, "done"],
  [exitCodes.fault, "a fault of Whetstone itself"],
  [exitCodes.machine, "this machine lacks something (the message says what)"],
  [exitCodes.input, "a wrong option, config or file, or a folder that another run holds"],
  [exitCodes.engine, "the engine died or refused; the same command goes on from the last step"],
  [exitCodes.stopped, "a guard stopped the run"],
  [exitCodes.interrupted, "ended by Ctrl-C; the same command goes on from the last step"],
];

export function exitCodeOf(error: unknown): number {
  if (!isWhetstoneError(error)) return exitCodes.fault;
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
