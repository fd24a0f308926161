import { z } from "zod";
import { readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type { RolloutGroup, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { asRollout, examplesIn, withLogprobs } from "./edit-effect/examples.ts";
import { accuracyOf, heldOut, type Trainer, type Trial, tryOut } from "./edit-effect/trial.ts";
import { type RewardContext, type RewardPart, trialPositions } from "./part.ts";

const optionsSchema = z.strictObject({
  /** How a copy learns what the edit says. */
  update: valueWith<Trainer>("update", "expected an update, such as supervised({ steps: 4 })"),
  /** Other items of the round, of the item's kind, that tell what came of it. */
  questions: z.number().int().min(1).default(8),
  /** Attempts at each of them, before and after. */
  attempts: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  /** What is kept (reward 1): every edit after which more is solved, or of each item the one after which most more is. */
  keep: z.enum(["improved", "best"]).default("best"),
  /** The examples of what is kept are given to be learnt too, as answers to what they ask. */
  learn: z.boolean().default(true),
});
export type EditEffectOptions = Readonly<z.input<typeof optionsSchema>>;

/** Copies that are trained at the same time: an engine has room for few. */
const copiesAtOnce = 2;

/**
 * What an edit does to the weights that are trained on it (SEAL, arXiv 2506.10943, section 3.1): for every edit a copy is loaded, trained on
 * its examples, asked held-out questions, and thrown away:
 *
 *   r(edit) = 1 if accuracy(θ′) > accuracy(θ), θ′ = train(θ, edit), else 0
 *
 * accuracy by the task's verifier, on other items of the round which the edit does not hold, with the same random numbers before and after.
 * Of what an edit says, items of the validation, decision and audit splits are never taught.
 * `parts` hold `before`, `after` and what the copy was trained on; an edit that cannot be read has `valid` 0 and reward 0, one whose
 * questions could not be judged has none. An edit's trial is stored before the next begins, and is not made again.
 *
 * @example
 * gro({ generate: edits(), reward: editEffect({ update: supervised({ steps: 4, batch: 8 }) }), update: supervised(), items: 16 })
 */
export function editEffect(options: EditEffectOptions): RewardPart {
  const { update, ...read } = readOptions("editEffect()", optionsSchema, options);
  const { questions, attempts } = read;
  return {
    name: "edit effect",
    description: {
      ...read,
      update: update.name,
      ...Object.fromEntries(
        Object.entries(update.description).map(([key, value]) => [`update.${key}`, value]),
      ),
    },
    origin: "external",
    peers: 1,
    answersPerRollout: questions * attempts,
    trainedPerRollout: update.steps({ newest: 1, base: 0 }) * (update.batch ?? 1),
    // A copy is a checkpoint that begins anew, and is loaded beside the weights that wrote the edit.
    needs: { ...update.needs, freshOptimizer: true },
    check: ({ name, readEdit }) => {
      if (readEdit === undefined)
        throw userError(
          "no-edits",
          `editEffect(): the task ${name} cannot read training data that a model wrote: it has no readEdit.`,
        );
    },
    reward: async (groups, context) => {
      const { keep = (_, work) => work(context.models) } = context;
      const scored: ScoredGroup[] = [];
      for (const [place, group] of groups.entries()) {
        const asked = heldOut(groups, group.item, { ...context, count: questions });
        const before = await keep(`${place}/before`, (models) =>
          accuracyOf(models.policyOf(group.rollouts[0]?.role ?? ""), asked, read, context),
        );
        const trials: Trial[] = [];
        for (let start = 0; start < group.rollouts.length; start += copiesAtOnce) {
          const part = group.rollouts.slice(start, start + copiesAtOnce);
          trials.push(
            ...(await Promise.all(
              part.map((rollout, index) =>
                keep(`${place}/${start + index}`, (models) =>
                  tryOut(rollout, { asked, update, ...read, context: { ...context, models } }),
                ),
              ),
            )),
          );
        }
        scored.push(await scoredBy(group, { before, trials, ...read }, context));
      }
      return scored;
    },
  };
}

interface Trials {
  /** Share of attempts that were right before any edit. */
  readonly before: number | null;
  readonly trials: readonly Trial[];
  readonly keep: "improved" | "best";
  readonly learn: boolean;
}

async function scoredBy(
  { item, rollouts }: RolloutGroup,
  { before, trials, keep, learn }: Trials,
  { models, task, signal }: RewardContext,
): Promise<ScoredGroup> {
  const gains = trials.map(({ after }) => (after === null || before === null ? null : after - before));
  const best = Math.max(0, ...gains.map((gain) => gain ?? 0));
  const kept = (at: number): boolean => {
    const gain = gains[at] ?? 0;
    return keep === "improved" ? gain > 0 : gain > 0 && gain === best && gains.indexOf(gain) === at;
  };
  const scored = rollouts.map((rollout, at): ScoredRollout => {
    const { valid, after, trained } = trials[at] as Trial;
    const unknown = before === null || (valid === 1 && after === null);
    return {
      rollout,
      reward: unknown ? null : kept(at) ? 1 : 0,
      parts: {
        valid,
        ...(after === null || before === null ? {} : { before, after }),
        [trialPositions]: trained,
      },
    };
  });
  if (!learn) return { item, rollouts: scored };
  const taught = rollouts.flatMap((rollout, at) => {
    const policy = models.policyOf(rollout.role);
    return kept(at)
      ? examplesIn(task, rollout).map((example, index) => asRollout(rollout, example, index, policy))
      : [];
  });
  return { item, rollouts: [...scored, ...(await withLogprobs(taught, models, signal))] };
}
