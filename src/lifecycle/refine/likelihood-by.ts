import { userError } from "../../foundation/base/index.ts";
import type { HarnessRequest, Rollout, RolloutGroup } from "../../foundation/contract/index.ts";

/**
 * log π(y|x) of each response, in nats, under the weights of a role that is asked beside the one that answered. Throws a user error
 * `role-missing` where the role was not given.
 */
export async function likelihoodBy(
  role: string,
  groups: readonly RolloutGroup[],
  { asked = [], signal }: Pick<HarnessRequest, "asked" | "signal">,
): Promise<ReadonlyMap<Rollout, number>> {
  const judge = asked.find((one) => one.role === role);
  if (judge === undefined)
    throw userError(
      "role-missing",
      `Candidates are ranked by the role ${role}, and no weights of it were given: use a method that delivers it, such as vStar().`,
      { role },
    );
  const rollouts = groups.flatMap((group) => group.rollouts);
  const wholes = rollouts.map(({ segments }) =>
    Int32Array.from(segments.flatMap(({ tokens }) => [...tokens])),
  );
  const logprobs = wholes.length === 0 ? [] : await judge.sampler.logprobs(wholes, signal ? { signal } : {});
  return new Map(
    rollouts.map((rollout, index) => {
      const start = rollout.segments[0]?.tokens.length ?? 0;
      return [
        rollout,
        (logprobs[index] ?? new Float32Array()).subarray(start).reduce((sum, one) => sum + one, 0),
      ];
    }),
  );
}
