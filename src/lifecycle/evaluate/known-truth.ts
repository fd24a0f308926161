import { z } from "zod";
import { waitFor } from "../../foundation/base/index.ts";
import type {
  Demonstration,
  Item,
  PlantedAnswers,
  Task,
  TrainedItems,
} from "../../foundation/contract/index.ts";
import { ownSplit, placeOf, verdictOf } from "../../world/task/index.ts";
import { quotingDocuments } from "./quoting-documents.ts";

const count = z.number().int();

export const plantedAnswersSchema = z.object({
  right: count,
  rightKept: count,
  wrong: count,
  wrongKept: count,
}) satisfies z.ZodType<PlantedAnswers>;

export const trainedItemsSchema = z.object({
  items: count,
  foreign: z.object({ validation: count, decision: count, audit: count }),
  misnamed: count,
  documents: z.object({ read: count, quoting: count }).optional(),
}) satisfies z.ZodType<TrainedItems>;

/** Shows the verifier the task's answers of known truth once more: one that was right when the run began may not be now. */
export async function plantedAnswers(task: Task, signal?: AbortSignal): Promise<PlantedAnswers> {
  const canaries = task.canaries();
  const verdicts = await waitFor(
    Promise.all(canaries.map(({ item, response }) => verdictOf(task, item, response))),
    signal,
  );
  const counts = { right: 0, rightKept: 0, wrong: 0, wrongKept: 0 };
  for (const [index, { right }] of canaries.entries()) {
    const verdict = verdicts[index];
    if (verdict?.outcome !== "scored") continue;
    const kept = verdict.score >= 1 ? 1 : 0;
    counts[right ? "right" : "wrong"] += 1;
    counts[right ? "rightKept" : "wrongKept"] += kept;
  }
  return counts;
}

/**
 * Where the items of a training belong by their canonical forms, which are made anew: what an item says of itself is not believed. What
 * a demonstration teaches about an item is no item of its own, unless it has the form of one.
 * A split is a hash of the form alone, so that no decision or audit item is looked at, but where documents are read: what these
 * quote can be known in no other way.
 */
export function trainedItems(
  task: Task,
  items: readonly Item[],
  demonstrations: readonly Demonstration[],
  documents: readonly string[] = [],
): TrainedItems {
  const all = [...items, ...demonstrations.map(({ item, about = item }) => about)];
  const foreign = { validation: 0, decision: 0, audit: 0 };
  let misnamed = 0;
  for (const item of all) {
    const place = placeOf(task, item);
    if (place === null || place.canonical !== item.canonical || place.split !== item.split) misnamed += 1;
    if (place === null || place.split === "none" || place.split === "train") continue;
    foreign[place.split] += 1;
  }
  for (const { item, about } of demonstrations) {
    if (about === undefined || about.canonical === item.canonical) continue;
    const split = ownSplit(task, item);
    if (split !== null && split !== "none" && split !== "train") foreign[split] += 1;
  }
  const quoting = quotingDocuments(task, documents);
  return {
    items: all.length,
    foreign,
    misnamed,
    ...(documents.length === 0 ? {} : { documents: { read: documents.length, quoting } }),
  };
}
