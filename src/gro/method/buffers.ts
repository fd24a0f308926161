import { userError } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { Buffer, Method, Pass } from "../method.ts";
import type { PassRun } from "./pass.ts";

/** What the pass's buffer holds, newest first. */
export async function heldBy({
  pass,
  buffers,
  context,
}: Pick<PassRun, "pass" | "buffers"> & {
  readonly context: Pick<PassRun["context"], "readGroups">;
}): Promise<readonly ScoredGroup[]> {
  const artifact = pass.buffer === undefined ? undefined : buffers[pass.buffer.name];
  return artifact === undefined ? [] : context.readGroups(artifact);
}

/**
 * A buffer with a round's groups before those that it held. Each rollout is told where it was first stored: whoever learns from it in a
 * later round knows which weights wrote it.
 */
export function filled(
  { most, kept }: Buffer,
  scored: readonly ScoredGroup[],
  artifact: string,
  held: readonly ScoredGroup[],
): ScoredGroup[] {
  const fresh = scored.map(
    ({ item, rollouts }, group): ScoredGroup => ({
      item,
      rollouts: rollouts
        .map((one, rollout) => ({
          ...one,
          rollout: { ...one.rollout, stored: { group, rollout, artifact } },
        }))
        .filter(({ reward }) => kept === undefined || (reward !== null && reward >= 1)),
    }),
  );
  return [...fresh, ...held].filter(({ rollouts }) => rollouts.length > 0).slice(0, most);
}

/** Refuses, with a user error `invalid-option`, a method of which a pass that repeats has a buffer: it keeps no rollouts. */
export function checkBuffers({ name, passes }: Method): void {
  const kept = ({ buffer, repeat, refill }: Pass): boolean =>
    buffer === undefined || (repeat === 1 && refill === undefined);
  if (!passes.every(kept))
    throw userError(
      "invalid-option",
      `${name}: a pass that repeats or refills keeps no rollouts, so it can have no buffer; give the buffer to a pass with repeat: 1.`,
    );
}
