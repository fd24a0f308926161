import type { Demonstration, Example, Item, Pool, Selected, TrainingEvidence } from "../../foundation/contract/index.ts";
import { evidenceOf, type MethodOutcome, runMethod, type Tally } from "../../gro/method/index.ts";
import { attempt, exampleOfDemonstration, exampleOfRollout, restoreGroup, storeGroup } from "../../gro/rollout/index.ts";
import { keptExamples } from "../../gro/update/index.ts";
import { acquire } from "../../lifecycle/acquire/index.ts";
import { select } from "../../lifecycle/select/index.ts";
import { verdictOf } from "../../world/task/index.ts";
import { durable, type RoundContext, stage, streamOf } from "./context.ts";
import type { Lineage, RunState } from "./state.ts";

type PoolRow = { item: Item } | { demonstration: Demonstration };

/** Fills the round's pool. */
export async function acquireStage(context: RoundContext, round: number, start: Lineage, state: RunState): Promise<Pool> {
  const { definition, ledger } = context;
  let fresh: Pool | undefined;
  const { artifact } = await stage(context, round, "acquire", definition.acquire.map(({ name }) => name).join(", "), async () => {
    fresh = await acquire(definition.acquire, {
      task: definition.task,
      round,
      random: streamOf(context, round, "acquire"),
      trainedTo: start.trainedTo,
      frontier: state.frontier,
    });
    const rows: PoolRow[] = [
      ...fresh.items.map((item) => ({ item })),
      ...fresh.demonstrations.map((demonstration) => ({ demonstration })),
    ];
    const difficulties = [...new Set(fresh.items.map(({ difficulty }) => difficulty))].sort((a, b) => a - b);
    const { unit } = definition.task.difficulty;
    return {
      result: { artifact: await ledger.putJsonLines(rows) },
      summary: `${fresh.items.length} items${difficulties.length > 0 ? ` of ${unit} ${difficulties.join(", ")}` : ""}, ${fresh.demonstrations.length} demonstrations`,
    };
  });
  if (fresh !== undefined) return fresh;
  const rows = (await ledger.readJsonLines(artifact)) as unknown as PoolRow[];
  return {
    items: rows.flatMap((row) => ("item" in row ? [row.item] : [])),
    demonstrations: rows.flatMap((row) => ("demonstration" in row ? [row.demonstration] : [])),
  };
}

/** Picks what is worth learning from. */
export async function selectStage(
  context: RoundContext,
  round: number,
  start: Lineage,
  pool: Pool,
): Promise<{ readonly items: readonly Item[]; readonly artifact: string }> {
  const { definition, ledger, samplers } = context;
  const { task, optimize } = definition;
  let fresh: readonly Selected[] | undefined;
  const { artifact } = await stage(context, round, "select", definition.select.map(({ name }) => name).join(", ") || "everything", async () => {
    const { selected, dropped } = await select(definition.select, pool.items, {
      task,
      round,
      random: streamOf(context, round, "select"),
      seen: await seenBefore(context, start),
      solveRates: async (items, samples) => {
        const policy = await samplers.get(optimize.lead, start.checkpoints[optimize.lead] ?? "");
        const groups = await attempt({
          policy,
          items,
          samples,
          temperature: 1,
          maxTokens: (item) => task.maxTokens(item),
          seed: streamOf(context, round, "solve-rates").seed(),
        });
        return groups.map(({ item, rollouts }) => {
          const scores = rollouts.flatMap(({ response }) => {
            const verdict = verdictOf(task, item, response);
            return verdict.outcome === "scored" ? [verdict.score] : [];
          });
          return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
        });
      },
    });
    fresh = selected;
    const lost = dropped.filter(({ count }) => count > 0).map(({ count, reason }) => `${count} dropped: ${reason}`);
    return {
      result: { artifact: await ledger.putJsonLines(selected as never) },
      summary: [`${selected.length} of ${pool.items.length} items`, ...lost].join("; "),
    };
  });
  fresh ??= (await ledger.readJsonLines(artifact)) as unknown as Selected[];
  return { items: fresh.map(({ item }) => item), artifact };
}

async function seenBefore({ ledger }: RoundContext, { selections }: Lineage): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (const artifact of selections) {
    for (const { item } of (await ledger.readJsonLines(artifact)) as unknown as Selected[]) seen.add(item.canonical);
  }
  return seen;
}

/** Makes the candidate's weights with the run's method. */
export async function optimizeStage(
  context: RoundContext,
  round: number,
  start: Lineage,
  state: RunState,
  selection: { readonly items: readonly Item[]; readonly artifact: string },
  pool: Pool,
): Promise<{ readonly candidate: Lineage; readonly evidence: TrainingEvidence }> {
  const { definition, ledger, tokenizer, capabilities } = context;
  const { optimize: method, task } = definition;
  const outcome = await stage(context, round, "optimize", method.name, async (progress) => {
    const made: MethodOutcome = await runMethod(method, {
      task,
      items: selection.items,
      base: pool.demonstrations.map((demonstration) => exampleOfDemonstration(tokenizer, demonstration)),
      older: await Promise.all(start.rollouts.map((artifact) => olderExamples(context, artifact))),
      current: start.checkpoints,
      baseWeights: state.base.checkpoints,
      policies: context.policies,
      random: streamOf(context, round, "optimize"),
      checkpointName: (role, label) => `${context.run.id}/round-${round}-${role}-${label}`,
      durable: (name, work) => durable(context, `round-${round}/optimize/${name}`, work),
      storeGroups: (groups) => ledger.putJsonLines(groups.map(storeGroup)),
      readGroups: async (artifact) => (await ledger.readJsonLines(artifact)).map(restoreGroup),
      onProgress: progress,
    });
    const evidence = evidenceOf(made.tally, capabilities.tolerance.logprob);
    return {
      result: { checkpoints: made.checkpoints, rollouts: made.rollouts, tally: made.tally },
      summary: summaryOf(made.tally),
      events: [{ type: "training-finished", round, evidence: { ...evidence } }],
    };
  });
  const hardest = selection.items.reduce((most, { difficulty }) => Math.max(most, difficulty), start.trainedTo);
  return {
    candidate: {
      round,
      checkpoints: outcome.checkpoints,
      trainedTo: hardest,
      rollouts: [...start.rollouts, ...outcome.rollouts],
      selections: [...start.selections, selection.artifact],
    },
    evidence: evidenceOf(outcome.tally, capabilities.tolerance.logprob),
  };
}

function summaryOf({ rollouts, kept, tokensTrained }: Tally): string {
  return `${rollouts} rollouts, ${kept} kept, ${tokensTrained} tokens trained`;
}

const examplesByArtifact = new Map<string, readonly Example[]>();

/** What an earlier round kept; the same artifact is parsed once a process. */
async function olderExamples({ ledger }: RoundContext, artifact: string): Promise<readonly Example[]> {
  const known = examplesByArtifact.get(artifact);
  if (known !== undefined) return known;
  const groups = (await ledger.readJsonLines(artifact)).map(restoreGroup);
  const examples = keptExamples(groups, ({ rollout }) => exampleOfRollout(rollout));
  examplesByArtifact.set(artifact, examples);
  return examples;
}
