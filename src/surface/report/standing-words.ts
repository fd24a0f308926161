import type { Progress } from "../../foundation/contract/index.ts";
import type { RunStory } from "./story.ts";
import { duration, whole } from "./words.ts";

export interface Standing {
  /** What of the stage is finished, in words. */
  readonly parts: readonly string[];
  /** What is done at the moment; null where that is not known. */
  readonly progress: Progress | null;
}

/**
 * Where a run stands, in one line for whoever joins it, and how far its stage is. Undefined where no stage is under way.
 * `now` is in milliseconds.
 */
export function standingWords(
  story: RunStory,
  { parts, progress }: Standing,
  now: number,
): string | undefined {
  const { current, facts, resumptions } = story;
  if (current === null) return undefined;
  const { round, stage, label, since } = current;
  const of = facts === null ? "" : ` of ${facts.rounds}`;
  const place = round === 0 ? "In the preparation" : `In round ${round}${of}`;
  const what = label === "" || label === stage ? stage : `${stage} (${label})`;
  // What was begun before an interruption has not gone on all the time since.
  const from = Math.max(since ?? 0, resumptions.at(-1)?.at ?? 0);
  const long = from === 0 ? "" : ` for ${duration(Math.max(0, now - from) / 1000)}`;
  const done = parts.length === 0 ? "" : `; done in it: ${parts.join(", ")}`;
  return `${place}, at ${what}${long}${done}${progress === null ? "" : `; now: ${progressWords(progress)}`}.`;
}

function progressWords({ label, done, total }: Progress): string {
  return total > 0 ? `${label}, ${whole(done)} of ${whole(total)}` : label;
}
