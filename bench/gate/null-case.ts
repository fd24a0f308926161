import type { Opening } from "whetstone";
import type { RandomStream } from "../../src/foundation/base/index.ts";
import type { NextBlocks } from "./blocks.ts";

/** One opening of a run without a true gain. */
export interface NullOpening {
  readonly nextBlocks: NextBlocks;
  readonly reused: boolean;
  /** False where the candidate truly gains, so that promoting it would be right. */
  readonly withoutGain: boolean;
}

export interface NullHistory {
  readonly open: (opening: number) => NullOpening;
  /** What left the gate, and reaches whoever makes the next candidate. */
  readonly told: (opening: Opening) => void;
}

export interface NullSettings {
  readonly strata: number;
  /** Most pairs of an opening. */
  readonly cap: number;
  readonly random: RandomStream;
}

/** Begins a run in which no candidate has a true gain. */
export type NullCase = (settings: NullSettings) => NullHistory;
