import type { Interval } from "../../src/foundation/statistics/index.ts";

export type Relation = "equal" | "at least" | "at most";

/** What was predicted of a quantity, and what was measured. */
export interface Row {
  readonly what: string;
  readonly relation: Relation;
  readonly predicted: number;
  readonly measured: number;
  /** 95 %. */
  readonly interval: Interval;
  /** Grows as the root of what is left out when less than five seeds of full size are measured. */
  readonly tolerance: number;
  readonly holds: boolean;
}
