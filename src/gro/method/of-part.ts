import { isWhetstoneError, messageOf, userError, WhetstoneError } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";

/** Where an error was thrown, from its stack: `rewards.ts:12`. */
function placeOf(error: unknown): string {
  const frame = error instanceof Error ? /([^/\\\s(]+:\d+):\d+\)?$/m.exec(error.stack ?? "")?.[1] : undefined;
  return frame === undefined ? "" : ` (${frame})`;
}

/**
 * Does a part's work. What it throws may be of somebody's own code, in it or in the task: it is told with the part's name, as the user
 * error `part-failed`, unless it is an error of ours or the end that was asked for.
 */
export async function ofPart<T>(
  part: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isWhetstoneError(error) || signal?.aborted === true) throw error;
    throw new WhetstoneError({
      code: "part-failed",
      category: "user",
      message: `${part} failed: ${messageOf(error)}${placeOf(error)}`,
      cause: error,
    });
  }
}

/** What a reward gave, if it is groups whose rollouts have finite numbers or null for a reward; else the user error `bad-reward`. */
export function checkedRewards(name: string, scored: ScoredGroup[]): ScoredGroup[] {
  const refuse = (what: string): never => {
    throw userError(
      "bad-reward",
      `The reward “${name}” gave ${what}: it gives its groups, each rollout with a finite number for a reward, or null where there is none.`,
    );
  };
  if (!Array.isArray(scored)) refuse(`${String(scored)} in the place of groups`);
  for (const group of scored) {
    if (!Array.isArray(group?.rollouts)) refuse("a group without rollouts");
    for (const { rollout, reward, parts } of group.rollouts) {
      const given = typeof reward === "string" ? JSON.stringify(reward) : String(reward);
      if (reward !== null && !Number.isFinite(reward))
        refuse(`${given} for an answer to ${JSON.stringify(rollout?.item?.prompt)}`);
      if (typeof parts !== "object" || parts === null) refuse("a rollout without its parts");
      for (const [part, value] of Object.entries(parts))
        if (!Number.isFinite(value)) refuse(`${String(value)} for its part “${part}”`);
    }
  }
  return scored;
}
