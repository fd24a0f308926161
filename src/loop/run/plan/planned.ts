import type { BaselinesPlan, Budget } from "../../../foundation/contract/index.ts";
import type { Speed } from "./speed.ts";
import type { Work } from "./work.ts";

export interface PlannedStage extends Omit<Work, "lanes"> {
  readonly seconds: number;
}

export interface Plan {
  readonly name: string;
  readonly rounds: number;
  readonly budget: Budget;
  /** Sampled and trained by the whole run, at most. */
  readonly tokens: number;
  /** Those of them that come before the first round. */
  readonly tokensBefore: number;
  /** What is kept back of a cap on tokens, where one is given, for the audits that say what was gained. */
  readonly tokensKeptBack: number;
  /** A cap on tokens that should have room for the first round beside what comes before it and what is kept back. */
  readonly leastTokens: number;
  readonly parameters: number;
  /** Models that are trained. */
  readonly policies: number;
  readonly preparation: readonly PlannedStage[];
  /**
   * One round at its dearest: nothing is filtered out, the opening reaches its cap, the candidate is promoted. Where methods
   * follow each other there is an `optimize` for each, with its rounds.
   */
  readonly round: readonly PlannedStage[];
  readonly end: readonly PlannedStage[];
  /** Of the whole run, at most. */
  readonly seconds: number;
  readonly speed: Speed["source"];
  /** Between which the seconds lie where the speed is a rough one, and else both are them. */
  readonly secondsBetween: readonly [least: number, most: number];
  readonly memoryBytes: number;
  /** Of all checkpoints that the run leaves. */
  readonly diskBytes: number;
  readonly diskBytesEachRound: number;
  /** Free on the disk of the project folder now. */
  readonly diskFreeBytes: number;
  /** The smallest gains that the first and the last opening can show; null when the gate observes. */
  readonly smallestGain: { readonly first: number | null; readonly last: number | null } | null;
  /** Strata that stand in the gate, and those of the target distribution that are only measured. */
  readonly gate: {
    readonly strata: readonly string[];
    readonly measuredOnly: readonly string[];
    /** Most pairs of an opening, and openings that the run has at most. */
    readonly pairs: number;
    readonly openings: number;
    /** Decision items are few: every opening uses all of them, and nothing but promoted or not leaves the gate. */
    readonly reused: boolean;
    /** Strata that must not drop: items that an opening has for each at most, and those that it needs to show it. */
    readonly probes: readonly {
      readonly stratum: string;
      readonly exact: boolean;
      readonly pairs: number;
      readonly needed: number;
    }[];
    /** Probes that were asked for, and are dropped because they have too few items. */
    readonly thinProbes: readonly string[];
  };
  /** What the run is compared with, or why with nothing. */
  readonly baselines: BaselinesPlan;
  readonly canaries: { readonly right: number; readonly wrong: number };
  /** The same for people. */
  readonly lines: readonly string[];
}
