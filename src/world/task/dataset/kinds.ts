import { userError } from "../../../foundation/base/index.ts";
import { type Problem, type Split, type Stratum, splitSchema } from "../../../foundation/contract/index.ts";
import { splitOf } from "../splits.ts";
import type { KnownRow } from "./read-rows.ts";

/** The rows of one kind: a stratum, and its problems in the file's order. */
export interface Kind {
  readonly stratum: Stratum & { readonly splits: Readonly<Record<Split, number>> };
  readonly problems: readonly Problem[];
}

export interface KindsRequest {
  /** Of the task: keys the splits. */
  readonly name: string;
  readonly version: number;
  /** For what problems name as their source. */
  readonly fileName: string;
  /** The column that names the kinds. */
  readonly column: string;
  readonly rows: readonly KnownRow[];
}

const mostKinds = 100;

/** Kinds are numbered as they appear; rows that name none are of the kind `other`, or `all` where no row does. */
export function kindsOf({ name, version, fileName, column, rows }: KindsRequest): Kind[] {
  const unnamed = rows.some(({ kind }) => kind !== undefined) ? "other" : "all";
  const groups = Map.groupBy(rows, ({ kind = unnamed }) => kind);
  if (groups.size > mostKinds)
    throw userError(
      "dataset-kinds",
      `${fileName} names ${groups.size.toLocaleString("en-US")} kinds in its column ${column}, and ${mostKinds} are the most: name a column with fewer in columns: { kind: "…" }, or rename it.`,
      { file: fileName, kinds: groups.size },
    );
  return [...groups].map(([kind, own], index) => {
    const splits: Record<Split, number> = { train: 0, validation: 0, decision: 0, audit: 0 };
    for (const { canonical } of own) splits[splitOf(name, version, canonical)] += 1;
    const difficulty = index + 1;
    return {
      stratum: { name: kind, difficulty, distinct: own.length, splits, weight: own.length },
      problems: own.map(({ prompt, messages, answer, line, id }) => ({
        prompt,
        ...(messages === undefined ? {} : { messages: [...messages] }),
        answer,
        difficulty,
        source: `${fileName}:${line}${id === undefined ? "" : ` ${id}`}`,
      })),
    };
  });
}

/** How many rows of all kinds each split holds. */
export function splitTotals(kinds: readonly Kind[]): Readonly<Record<Split, number>> {
  const totals: Record<Split, number> = { train: 0, validation: 0, decision: 0, audit: 0 };
  for (const { stratum } of kinds)
    for (const split of splitSchema.options) totals[split] += stratum.splits[split];
  return totals;
}
