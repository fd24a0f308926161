import { z } from "zod";
import type { RandomStream } from "../base/random.ts";
import { type Demonstration, type Item, itemSchema } from "./items.ts";
import type { Task } from "./task.ts";

/** What a round acquired. Members keep their source. */
export interface Pool {
  readonly items: readonly Item[];
  readonly demonstrations: readonly Demonstration[];
}

export interface AcquireContext {
  readonly task: Task;
  readonly round: number;
  readonly random: RandomStream;
  /** The greatest difficulty trained so far. */
  readonly trainedTo: number;
  /** From validation: greatest difficulty such that all up to it are at least .9; null when none. */
  readonly frontier: number | null;
  readonly signal?: AbortSignal;
}

/** Fills a part of the pool. */
export interface Source {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** Items that it brings in a round at most; demonstrations are not counted. */
  readonly mostItems: number;
  /** Demonstrations that it brings in a round at most; none if left out. */
  readonly mostDemonstrations?: number;
  /** Refuses a task that it cannot serve, with a user error, before a run starts. */
  check?(task: Task): void;
  acquire(context: AcquireContext): Promise<Pool>;
  /** Endless sources give as many demonstrations as are asked for: preparation then never sees one twice by design. */
  draw?(task: Task, count: number, random: RandomStream): readonly Demonstration[];
}

export interface SelectContext {
  readonly task: Task;
  readonly round: number;
  readonly random: RandomStream;
  /** Canonical forms trained on in earlier rounds. */
  readonly seen: ReadonlySet<string>;
  /** Share of right answers among `samples` attempts of the current lead at each item, by the task's verifier. */
  solveRates(items: readonly Item[], samples: number): Promise<readonly (number | null)[]>;
  readonly signal?: AbortSignal;
}

/** One member of a selection, with what put it there. */
export const selectedSchema = z.object({ item: itemSchema, score: z.number(), reason: z.string() });
export type Selected = z.infer<typeof selectedSchema>;

/** Keeps a part of the items. */
export interface Selector {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** Attempts that it lets the model make at each item, where it does: what `plan` counts. */
  readonly samplesPerItem?: number;
  select(items: readonly Selected[], context: SelectContext): Promise<readonly Selected[]>;
}
