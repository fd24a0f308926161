import type { RolloutGroup } from "../../foundation/contract/index.ts";

/** The attempts at each item that several calls made, numbered through. */
export function mergeGroups(calls: readonly (readonly RolloutGroup[])[]): RolloutGroup[] {
  const [first = []] = calls;
  return first.map(({ item }, index) => ({
    item,
    rollouts: calls
      .flatMap((groups) => groups[index]?.rollouts ?? [])
      .map((rollout, sample) => ({ ...rollout, sample })),
  }));
}
