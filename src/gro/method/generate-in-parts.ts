import type { RolloutGroup, ScoredGroup } from "../../foundation/contract/index.ts";
import { itemsOf, type PassRun } from "./pass.ts";
import type { RollRequest } from "./roll.ts";
import { doneInAll, eachPart, samplingParts } from "./sampling-parts.ts";

/**
 * Generates a pass's rollouts in parts, each stored before the next ones are waited for, so that an interruption costs those that
 * were under way. Adds the names of what was stored to `stored`: it has served once the whole is.
 */
export function generateInParts(run: PassRun, stored: Set<string>): NonNullable<RollRequest["inParts"]> {
  const { pass, name, context } = run;
  return async (role, generate, onProgress) => {
    const items = itemsOf(run, 0);
    const parts = samplingParts(items.length, pass.generate.samplesPerItem);
    if (parts.length <= 1) return generate(items, onProgress);
    const tell = doneInAll(onProgress);
    const groups = await eachPart(parts, async (stretch) => {
      const { from, to } = stretch;
      let fresh: readonly RolloutGroup[] | undefined;
      const { part } = await context.durablePart(`${name}/rollouts/${role}/${to}`, async () => {
        fresh = await generate(items.slice(from, to), (done) => tell(stretch, done));
        return { part: await context.storeGroups(fresh.map(unscored)) };
      });
      stored.add(part);
      tell(stretch, to - from);
      return fresh ?? (await context.readGroups(part)).map(withoutScores);
    });
    return groups.flat();
  };
}

function unscored({ item, rollouts }: RolloutGroup): ScoredGroup {
  return { item, rollouts: rollouts.map((rollout) => ({ rollout, reward: null, parts: {} })) };
}

function withoutScores({ item, rollouts }: ScoredGroup): RolloutGroup {
  return { item, rollouts: rollouts.map(({ rollout }) => rollout) };
}
