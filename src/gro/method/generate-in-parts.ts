import type { RolloutGroup, ScoredGroup } from "../../foundation/contract/index.ts";
import type { PassRun } from "./pass.ts";
import type { Generated, GenerateInParts } from "./roll.ts";
import type { Spent } from "./sampling-meter.ts";
import { doneInAll, eachPart, samplingParts } from "./sampling-parts.ts";

interface StoredPart {
  readonly part: string;
  readonly spent?: readonly Spent[];
}

/**
 * Generates a pass's rollouts in parts, each stored before the next ones are waited for, so that an interruption costs those that
 * were under way. Adds the names of what was stored to `stored`: it has served once the whole is.
 */
export function generateInParts(
  { pass, name, context }: Pick<PassRun, "pass" | "name" | "context">,
  stored: Set<string>,
): GenerateInParts {
  return async (role, items, generate, onProgress) => {
    const parts = samplingParts(items.length, pass.generate.samplesPerItem);
    if (parts.length <= 1) return generate(items, onProgress);
    const tell = doneInAll(onProgress);
    const generated = await eachPart(parts, async (stretch): Promise<Generated> => {
      const { from, to } = stretch;
      let fresh: Generated | undefined;
      // None in a part that was stored before it was counted.
      const { part, spent = [] }: StoredPart = await context.durablePart(
        `${name}/rollouts/${role}/${to}`,
        async () => {
          fresh = await generate(items.slice(from, to), (done) => tell(stretch, done));
          return { part: await context.storeGroups(fresh.groups.map(unscored)), spent: [...fresh.spent] };
        },
      );
      stored.add(part);
      tell(stretch, to - from);
      return fresh ?? { groups: (await context.readGroups(part)).map(withoutScores), spent };
    });
    return {
      groups: generated.flatMap(({ groups }) => groups),
      spent: generated.flatMap(({ spent }) => spent),
    };
  };
}

function unscored({ item, rollouts }: RolloutGroup): ScoredGroup {
  return { item, rollouts: rollouts.map((rollout) => ({ rollout, reward: null, parts: {} })) };
}

function withoutScores({ item, rollouts }: ScoredGroup): RolloutGroup {
  return { item, rollouts: rollouts.map(({ rollout }) => rollout) };
}
