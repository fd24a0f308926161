import type { StoredEvent } from "../../../foundation/contract/index.ts";
import { readWhich, weightsOf } from "../weights.ts";

/** A checkpoint's path in a project folder. */
const savedIn = /(?:^|[/\\])\.whetstone[/\\]checkpoints[/\\](.+?)[/\\]*$/;

/**
 * The checkpoint that is meant: by a word such as `champion` or `round-3` of this run, by its name or by its path; undefined where
 * none is. Throws a user error `no-weights` where a run has not come so far as the word.
 */
export function checkpointNamed(
  of: string,
  events: readonly StoredEvent[],
  names: readonly string[],
): string | undefined {
  const which = readWhich(of);
  if (which !== undefined) return weightsOf(events, which).checkpoint;
  const name = (savedIn.exec(of)?.[1] ?? of).replaceAll("\\", "/");
  const prepared = events.some(({ event }) => "checkpoint" in event && event.checkpoint === name);
  return prepared || names.includes(name) ? name : undefined;
}
