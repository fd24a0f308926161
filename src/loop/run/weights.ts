import { existsSync } from "node:fs";
import { join } from "node:path";
import { userError } from "../../foundation/base/index.ts";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { digestFact, refuseDamaged } from "../round/folder-digest.ts";

/** Weights that a run has made: a round's candidate by its number (0 is the preparation), the champion, or the newest candidate. */
export type WhichWeights = "base" | "champion" | "candidate" | number;

/** Saved weights of the role that answers, and the round that made them; 0 is the preparation. */
export interface SavedWeights {
  readonly round: number;
  readonly checkpoint: string;
}

/** Checkpoints of the roles that are asked beside these weights, by role; none where the run's harness asks none. */
export function askedBeside(
  events: readonly StoredEvent[],
  { round, checkpoint }: SavedWeights,
): Readonly<Record<string, string>> {
  const made = events.findLast(
    ({ event }) =>
      (event.type === "model-prepared" || event.type === "training-finished") &&
      event.round === round &&
      event.checkpoint === checkpoint,
  )?.event;
  return made?.type === "model-prepared" || made?.type === "training-finished" ? (made.asked ?? {}) : {};
}

/** Which weights a word means: `base`, `champion`, `candidate` or `round-3`; undefined for any other. */
export function readWhich(text: string): WhichWeights | undefined {
  if (text === "base" || text === "champion" || text === "candidate") return text;
  const [, round] = /^round-(\d{1,9})$/.exec(text) ?? [];
  return round === undefined ? undefined : Number(round);
}

/** The champion after these events; undefined before the preparation is done. */
export function championOf(events: readonly StoredEvent[]): SavedWeights | undefined {
  let champion: SavedWeights | undefined;
  for (const { event } of events) {
    if (event.type === "model-prepared" || event.type === "candidate-promoted")
      champion = { round: event.round, checkpoint: event.checkpoint };
    if (event.type === "champion-rolled-back") champion = event.to;
  }
  return champion;
}

/** The weights that were asked for. Throws a user error `no-weights` where the run has not come so far. */
export function weightsOf(events: readonly StoredEvent[], which: WhichWeights): SavedWeights {
  const found = which === "champion" ? championOf(events) : candidateOf(events, which);
  if (found !== undefined) return found;
  const what = typeof which === "number" ? `round ${which}` : which;
  const made = events.some(({ event }) => event.type === "model-prepared");
  throw userError(
    "no-weights",
    made
      ? `This run has no weights of ${what === "candidate" ? "a candidate" : what}: \`whetstone status\` shows its rounds.`
      : `This run has no weights of its ${what} yet: its preparation is not done.`,
  );
}

function candidateOf(
  events: readonly StoredEvent[],
  which: Exclude<WhichWeights, "champion">,
): SavedWeights | undefined {
  const made = events.flatMap(({ event }) =>
    event.type === "model-prepared" || event.type === "training-finished"
      ? [{ round: event.round, checkpoint: event.checkpoint }]
      : [],
  );
  if (which === "candidate") return made.at(-1);
  return made.findLast(({ round }) => round === (which === "base" ? 0 : which));
}

/**
 * Where a checkpoint of this folder lies, with the files that were saved. Throws user errors: `no-weights` where it was taken
 * away, `checkpoint-damaged` where it holds something else.
 */
export async function wholeCheckpoint(folder: string, checkpoint: string): Promise<string> {
  const path = join(checkpointsOf(folder), checkpoint);
  if (!existsSync(path))
    throw userError("no-weights", `${path} is not there any more: restore it from a copy.`, { path });
  using ledger = readLedger({ folder });
  // A run of before digests were kept has none to compare with.
  const saved = ledger?.getFact(digestFact(checkpoint));
  if (typeof saved === "string") await refuseDamaged(path, saved);
  return path;
}

/** The same for a folder that may be a checkpoint of some project; any other is taken as it is. */
export async function wholeFolder(path: string): Promise<string> {
  const [, folder, checkpoint] = savedIn.exec(path) ?? [];
  return folder === undefined || checkpoint === undefined ? path : wholeCheckpoint(folder, checkpoint);
}

function checkpointsOf(folder: string): string {
  return join(ledgerFolder(folder), "checkpoints");
}

const savedIn = /^(.*)[/\\]\.whetstone[/\\]checkpoints[/\\](.+)$/;
