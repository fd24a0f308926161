import { type Clock, systemClock, userError } from "../../foundation/base/index.ts";
import { exitCodes } from "./exit-codes.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

/** One press of Ctrl-C comes twice where npm or a launcher hands on what the terminal has sent to all already. */
const samePressMs = 250;

const endingRun =
  "Ending at the next safe point, which is seconds away; what was finished is kept,\nand the same command goes on from there. Ctrl-C again ends at once.";

interface Program {
  on(signal: (typeof signals)[number], listener: () => void): unknown;
  off(signal: (typeof signals)[number], listener: () => void): unknown;
  exit(code: number): void;
}

export interface InterruptionOptions {
  /** Tells the person what happens now. */
  readonly say: (text: string) => void;
  /** What is told at first; default that a run ends at its next safe point. */
  readonly words?: string;
  /** The same command goes on from where it ended. Default true. */
  readonly goesOn?: boolean;
  readonly program?: Program;
  readonly clock?: Clock;
}

export interface Interruption extends Disposable {
  /** Aborts with a user error `interrupted`. */
  readonly signal: AbortSignal;
}

/** Listens to Ctrl-C and SIGTERM. Once: the signal aborts. Twice: the program ends at once; the ledger is whole all the same. */
export function interruptible(options: InterruptionOptions): Interruption {
  const { say, words = endingRun, goesOn = true, program = process, clock = systemClock } = options;
  const controller = new AbortController();
  let pressedAt = Number.NEGATIVE_INFINITY;
  const interrupt = (): void => {
    const now = clock.monotonic();
    if (now - pressedAt < samePressMs) return;
    pressedAt = now;
    if (controller.signal.aborted) {
      program.exit(exitCodes.interrupted);
      return;
    }
    say(words);
    const again = goesOn ? "goes on" : "begins anew";
    controller.abort(userError("interrupted", `Ended before it was done; the same command ${again}.`));
  };
  for (const signal of signals) program.on(signal, interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) program.off(signal, interrupt);
    },
  };
}
