import { type Json, waitFor } from "../../foundation/base/index.ts";
import { demonstrationSchema, itemSchema, type Pool } from "../../foundation/contract/index.ts";
import { acquire } from "../../lifecycle/acquire/index.ts";
import { playStage, type RoundContext, signalOf, streamOf } from "./context.ts";
import type { Lineage, RunState } from "./state.ts";

/** Fills the round's pool. */
export async function acquireStage(
  context: RoundContext,
  round: number,
  start: Lineage,
  { frontier }: RunState,
): Promise<Pool> {
  const { definition, ledger } = context;
  const { task, acquire: sources } = definition;
  let fresh: Pool | undefined;
  const { artifact } = await playStage(context, {
    round,
    name: "acquire",
    label: sources.map(({ name }) => name).join(", "),
    input: { trainedTo: start.trainedTo, frontier },
    work: async () => {
      const random = streamOf(context, round, "acquire");
      const { trainedTo } = start;
      const filling = { task, round, random, trainedTo, frontier, ...signalOf(context) };
      fresh = await waitFor(acquire(sources, filling), context.signal);
      return {
        result: { artifact: await ledger.artifacts.put(rowsOf(fresh)) },
        summary: summaryOf(context, fresh),
      };
    },
  });
  return fresh ?? poolOf(await ledger.artifacts.read(artifact));
}

function* rowsOf({ items, demonstrations }: Pool): Generator<Json> {
  for (const item of items) yield { item };
  for (const demonstration of demonstrations) yield { demonstration };
}

function poolOf(rows: readonly Json[]): Pool {
  const [items, demonstrations]: [Pool["items"][number][], Pool["demonstrations"][number][]] = [[], []];
  for (const row of rows as readonly Readonly<Record<string, unknown>>[]) {
    if ("item" in row) items.push(itemSchema.parse(row.item));
    else demonstrations.push(demonstrationSchema.parse(row.demonstration));
  }
  return { items, demonstrations };
}

function summaryOf({ definition }: RoundContext, { items, demonstrations }: Pool): string {
  const { unit, ordered = true } = definition.task.difficulty;
  const difficulties = [...new Set(items.map(({ difficulty }) => difficulty))].sort((a, b) => a - b);
  const where =
    difficulties.length === 0
      ? ""
      : ordered
        ? ` of ${unit} ${difficulties.join(", ")}`
        : ` of ${difficulties.length} ${unit}${difficulties.length === 1 ? "" : "s"}`;
  return `${items.length} items${where}, ${demonstrations.length} demonstrations`;
}
