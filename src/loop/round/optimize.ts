import { z } from "zod";
import type {
  Item,
  Pool,
  StepEvidence,
  Task,
  TrainedItems,
  TrainingEvidence,
} from "../../foundation/contract/index.ts";
import {
  evidenceOf,
  methodOf,
  runMethod,
  type Tally,
  tallySchema,
  teachingOf,
} from "../../gro/method/index.ts";
import type { Method } from "../../gro/method.ts";
import { exampleOfDemonstration } from "../../gro/rollout/index.ts";
import { trainingLoss } from "../../gro/update/index.ts";
import {
  plantedAnswers,
  plantedAnswersSchema,
  trainedItems,
  trainedItemsSchema,
} from "../../lifecycle/evaluate/index.ts";
import { whyBlocked } from "../../lifecycle/guard/index.ts";
import { computeOf } from "./compute.ts";
import { askedCheckpoints, playStage, type RoundContext } from "./context.ts";
import { keepLineage } from "./keep-lineage.ts";
import { lossWords } from "./loss-words.ts";
import { methodContext } from "./method-context.ts";
import { olderSets } from "./older-sets.ts";
import type { RoundSelection } from "./select.ts";
import type { Lineage, RunState } from "./state.ts";

const resultSchema = z.object({
  checkpoints: z.record(z.string(), z.string()),
  rollouts: z.array(z.string()),
  buffers: z.record(z.string(), z.string()).default({}),
  tally: tallySchema,
  blocked: z.string().nullable().default(null),
  items: trainedItemsSchema.nullable().default(null),
  planted: plantedAnswersSchema.nullable().default(null),
});

/** Weights that a round made, and what is known of how. */
export interface Optimized {
  readonly candidate: Lineage;
  readonly evidence: StepEvidence & { readonly training: TrainingEvidence };
}

/** Makes the candidate's weights with the run's method. */
export async function optimizeStage(
  context: RoundContext,
  round: number,
  start: Lineage,
  { base, champion, remedies }: RunState,
  selection: RoundSelection,
  pool: Pool,
): Promise<Optimized> {
  const { definition, tokenizer, capabilities } = context;
  const { task } = definition;
  const method = methodOf(definition.optimize, round);
  const tolerance = capabilities.tolerance[definition.precision];
  const observe = definition.gate.mode === "observe";
  const rewards = rewardsOf(method, task);
  const stored = await playStage(context, {
    round,
    name: "optimize",
    label: method.name,
    input: {
      start: start.checkpoints,
      base: base.checkpoints,
      ...(readsChampion(method) ? { champion: champion.checkpoints } : {}),
      selection: selection.artifact,
    },
    work: async (progress) => {
      const items = trainedItems(
        task,
        selection.items,
        pool.demonstrations,
        documentsOf(method, task, selection.items),
      );
      const planted = await plantedAnswers(task, context.signal);
      const blockedBy = (made: Tally): string | null => {
        const training = evidenceOf(made, tolerance, rewards);
        return whyBlocked(definition.guard, {
          ...rewards,
          training,
          trained: withMade(items, made),
          planted,
        });
      };
      const { checkpoints, rollouts, buffers, tally, losses, trained, empty, blocked } = await runMethod(
        method,
        methodContext(context, {
          round,
          steps: `round-${round}/optimize`,
          checkpoints: `round-${round}`,
          items: selection.items,
          demonstrated: pool.demonstrations.map(({ item }) => item),
          base: pool.demonstrations.map((demonstration) => exampleOfDemonstration(tokenizer, demonstration)),
          older: await olderSets(context, method, start.rollouts),
          buffers: start.buffers ?? {},
          current: start.checkpoints,
          baseWeights: base.checkpoints,
          championWeights: champion.checkpoints,
          storeTraining: (training) =>
            keepLineage(context, { ...training, round, stage: "optimize", method: method.name }),
          onProgress: progress,
          remedies,
          // What a gate that observes would not act on, its guards do not either.
          ...(observe ? {} : { whyBlocked: blockedBy }),
        }),
      );
      const checkpoint = checkpoints[method.lead] ?? "";
      const loss = trainingLoss(losses);
      const idle = idleWords(selection.items.length, tally, empty);
      return {
        result: {
          checkpoints,
          rollouts,
          buffers,
          tally,
          blocked,
          items: { ...withMade(items, tally) },
          planted: { ...planted },
        },
        summary: (blocked ?? summaryOf(tally, teachingOf(method))) + idle + lossWords(loss),
        events: [
          {
            type: "training-finished",
            round,
            checkpoint,
            ...askedCheckpoints(context, checkpoints),
            evidence: { ...evidenceOf(tally, tolerance, { ...rewards, blocked }) },
            ...(loss === undefined ? {} : { loss }),
            ...(trained.length === 0 ? {} : { lineage: [...trained] }),
            compute: computeOf(tally),
          },
        ],
      };
    },
  });
  const { checkpoints, rollouts, buffers, tally, blocked, items, planted } = resultSchema.parse(stored);
  const candidate: Lineage = {
    round,
    checkpoints,
    ...(blocked === null
      ? {
          trainedTo: selection.items.reduce(
            (most, { difficulty }) => Math.max(most, difficulty),
            start.trainedTo,
          ),
          selections: [...start.selections, selection.artifact],
        }
      : { trainedTo: start.trainedTo, selections: start.selections }),
    rollouts: [...start.rollouts, ...rollouts],
    ...(Object.keys(buffers).length === 0 ? {} : { buffers }),
  };
  const training = evidenceOf(tally, tolerance, { ...rewards, blocked });
  return { candidate, evidence: { ...rewards, training, trained: items, planted } };
}

/** Weights that nothing was trained into are those that it began with: no opening is spent on them. */
export function whyNothingLearnt({ tokensTrained, blocked }: TrainingEvidence): string | null {
  if (tokensTrained > 0) return null;
  return blocked ?? "nothing was learnt";
}

/** With the items that the method's parts wrote for, whatever they were given. */
function withMade(items: TrainedItems, made: Tally): TrainedItems {
  const { validation, decision, audit } = items.foreign;
  return {
    ...items,
    foreign: {
      validation: Math.max(validation, made.itemsOfValidation),
      decision: Math.max(decision, made.itemsOfDecision),
      audit: Math.max(audit, made.itemsOfAudit),
    },
  };
}

/** Whether what a method makes depends on which champion there is. */
function readsChampion({ passes }: Method): boolean {
  return passes.some(({ reward, update, updates = {} }) =>
    [reward, update, ...Object.values(updates)].some(({ references = [] }) =>
      references.includes("champion"),
    ),
  );
}

/** Texts that a method reads at these items, each once. */
function documentsOf({ passes }: Method, task: Task, items: readonly Item[]): readonly string[] {
  const parts = passes.flatMap(({ generate, reward }) => [generate, reward]);
  return [...new Set(parts.flatMap((part) => part.documents?.(task, items) ?? []))];
}

/** What a method's rewards are worth to a guard. */
function rewardsOf(
  { passes, learnsBy }: Method,
  { truth }: Task,
): Pick<StepEvidence, "learnsBy" | "rewardOrigin"> & Pick<TrainingEvidence, "circular"> {
  const rewards = passes.map(({ reward }) => reward);
  return {
    learnsBy,
    rewardOrigin: rewards.every(({ origin }) => origin === "external") ? "external" : "self-derived",
    circular: truth === undefined && rewards.every(({ asksVerifier }) => asksVerifier === true),
  };
}

function summaryOf(tally: Tally, teaching: string): string {
  const { rollouts, kept, tokensTrained, groupsTaught, groupsSkipped, unreadVerdicts, rolloutsStale } = tally;
  const { stepsReplayed, voidVerdicts } = tally;
  const skipped =
    groupsSkipped === 0
      ? ""
      : `, ${groupsSkipped} of ${groupsTaught + groupsSkipped} groups skipped, none of which ${teaching}`;
  const unread = unreadVerdicts === 0 ? "" : `, ${unreadVerdicts} verdicts could not be read`;
  const unjudged = voidVerdicts === 0 ? "" : `, no verdict on ${voidVerdicts} of the rollouts`;
  const stale = rolloutsStale === 0 ? "" : `, ${rolloutsStale} rollouts left out as too old`;
  const steps = `${stepsReplayed} ${stepsReplayed === 1 ? "step" : "steps"} on what was there before`;
  const replayed =
    // Who writes nothing means to learn from what is there.
    stepsReplayed === 0 || rollouts === 0
      ? ""
      : kept === 0
        ? `, nothing new was kept: ${steps}`
        : `, ${steps} alone`;
  return `${rollouts} rollouts, ${kept} kept, ${tokensTrained} tokens trained${replayed}${unjudged}${skipped}${stale}${unread}`;
}

/** Why there was nothing to write for, or to learn from. */
function idleWords(items: number, { rollouts }: Tally, empty: readonly string[]): string {
  if (empty.length === 0) return items === 0 && rollouts === 0 ? ", since no item was selected" : "";
  const times = empty.length === 1 ? "once" : `${empty.length} times`;
  return `, ${times} there was nothing to learn from: ${[...new Set(empty)].join("; ")}`;
}
