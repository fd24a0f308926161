import { EventEmitter } from "node:events";
import type { Clock } from "../../../foundation/base/index.ts";
import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";
import { plausibleRun } from "./plausible-run.ts";

export const environment = { TERM: "xterm-256color", LANG: "en_US.UTF-8" };
export const run = plausibleRun({ rounds: 3, rejected: [2], warned: [3] });
export const progress = (done: number, label = "train"): Progress => ({
  type: "progress",
  stage: "optimize",
  label,
  done,
  total: 1000,
});

export function heldClock(): Clock & { forward(ms: number): void } {
  let now = 0;
  return {
    now: () => 0,
    monotonic: () => now,
    forward(ms) {
      now += ms;
    },
  };
}

/** A pipe: no terminal, no size. */
export class Pipe extends EventEmitter {
  text = "";
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

export const watchAll = (view: { watch(event: StoredEvent): void }, events: readonly StoredEvent[]): void => {
  for (const event of events) view.watch(event);
};
