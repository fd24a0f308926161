import type { Progress, StoredEvent } from "../../../foundation/contract/index.ts";

/** A run while it is watched. */
export interface TerminalView extends Disposable {
  watch(event: StoredEvent | Progress): void;
  /** What was stored before this process went on with the run: it makes the picture whole and says nothing again. */
  recall(events: readonly StoredEvent[]): void;
  /** Words from outside the run that last above the picture. */
  note(text: string): void;
}
