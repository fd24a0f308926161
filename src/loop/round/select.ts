import { waitFor } from "../../foundation/base/index.ts";
import type { Item, Pool, Selected } from "../../foundation/contract/index.ts";
import { selectedSchema } from "../../foundation/contract/index.ts";
import { attempt } from "../../gro/rollout/index.ts";
import { select } from "../../lifecycle/select/index.ts";
import { verdictOf } from "../../world/task/index.ts";
import {
  leadCheckpoint,
  playStage,
  type RoundContext,
  type StageProgress,
  signalOf,
  streamOf,
} from "./context.ts";
import type { Lineage } from "./state.ts";

export interface RoundSelection {
  readonly items: readonly Item[];
  readonly artifact: string;
}

/** Picks what is worth learning from. */
export async function selectStage(
  context: RoundContext,
  round: number,
  start: Lineage,
  pool: Pool,
): Promise<RoundSelection> {
  const { definition, ledger } = context;
  const { select: selectors, task } = definition;
  let fresh: readonly Selected[] | undefined;
  const { artifact } = await playStage(context, {
    round,
    name: "select",
    label: selectors.map(({ name }) => name).join(", ") || "everything",
    input: {
      checkpoint: leadCheckpoint(context, start),
      selections: start.selections,
      items: pool.items.length,
    },
    work: async (progress) => {
      const { selected, dropped } = await select(selectors, pool.items, {
        task,
        round,
        random: streamOf(context, round, "select"),
        seen: await seenBefore(context, start),
        ...signalOf(context),
        solveRates: (items, samples) => solveRates(context, { round, start, items, samples, progress }),
      });
      fresh = selected;
      const lost = dropped.flatMap(({ count, reason }) => (count > 0 ? [`${reason} dropped ${count}`] : []));
      return {
        result: { artifact: await ledger.artifacts.put(selected.map((member) => ({ ...member }))) },
        summary: [`${selected.length} of ${pool.items.length} items`, ...lost].join("; "),
      };
    },
  });
  fresh ??= (await ledger.artifacts.read(artifact)).map((row) => selectedSchema.parse(row));
  return { items: fresh.map(({ item }) => item), artifact };
}

/** Canonical forms of what the starting point has learnt from. */
async function seenBefore({ ledger }: RoundContext, { selections }: Lineage): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (const artifact of selections)
    for (const row of await ledger.artifacts.read(artifact))
      seen.add(selectedSchema.parse(row).item.canonical);
  return seen;
}

interface SolveRatesRequest {
  readonly round: number;
  readonly start: Lineage;
  readonly items: readonly Item[];
  readonly samples: number;
  readonly progress: StageProgress;
}

async function solveRates(
  context: RoundContext,
  { round, start, items, samples, progress }: SolveRatesRequest,
): Promise<(number | null)[]> {
  const { task, optimize } = context.definition;
  const groups = await attempt({
    policy: await context.samplers.get(optimize.lead, leadCheckpoint(context, start)),
    items,
    samples,
    temperature: 1,
    maxTokens: (item) => task.maxTokens(item),
    seed: streamOf(context, round, "solve-rates").seed(),
    ...signalOf(context),
    onProgress: (done) => progress("attempt items", done, items.length),
  });
  const judged = groups.map(({ item, rollouts }) =>
    Promise.all(rollouts.map(({ response }) => verdictOf(task, item, response))),
  );
  const verdicts = await waitFor(Promise.all(judged), context.signal);
  return verdicts.map((own) => {
    const scores = own.flatMap((verdict) => (verdict.outcome === "scored" ? [verdict.score] : []));
    return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
  });
}
