import type { WhetstoneError } from "../../../../foundation/base/index.ts";
import type { Verdict } from "../../../../foundation/contract/index.ts";
import type { CommandProcess } from "./command-process.ts";

/** A request that waits for its verdict. */
export interface Pending {
  readonly id: number;
  readonly line: string;
  /** Processes that ended while they had only this one. */
  deaths: number;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: WhetstoneError) => void;
}

/** A place for one process at a time, and what it was asked. */
export interface Slot {
  process: CommandProcess | undefined;
  answered: boolean;
  /** In the order in which they were sent. */
  readonly inFlight: Map<number, Pending>;
  /** While it has a request that may be what ended an earlier process, it gets no other. */
  alone: boolean;
  timer: NodeJS.Timeout | undefined;
  timed: number | undefined;
}

export function emptySlot(): Slot {
  return {
    process: undefined,
    answered: false,
    inFlight: new Map(),
    alone: false,
    timer: undefined,
    timed: undefined,
  };
}

/** Lets go of its process and of what that was asked. */
export function forget(slot: Slot): void {
  clearTimeout(slot.timer);
  slot.timer = undefined;
  slot.timed = undefined;
  slot.process = undefined;
  slot.alone = false;
  slot.inFlight.clear();
}
