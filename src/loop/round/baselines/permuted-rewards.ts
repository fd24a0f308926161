import { methodOf, runMethod, type Tally, withRewards } from "../../../gro/method/index.ts";
import { permuted } from "../../../gro/reward/index.ts";
import { exampleOfDemonstration } from "../../../gro/rollout/index.ts";
import { acquireStage } from "../acquire.ts";
import { computeOfAll } from "../compute.ts";
import { type RoundContext, streamOf } from "../context.ts";
import { measureValidation } from "../evaluate.ts";
import { olderSets } from "../older-sets.ts";
import { selectStage } from "../select.ts";
import { type Lineage, startingPoint } from "../state.ts";
import { type Arm, type ArmRequest, armMethodContext } from "./arm.ts";

/**
 * The run's own rounds again, on the items that they had and with the numbers that they drew, but with the rewards of each batch
 * permuted among its rollouts. No gate stands between its rounds: each goes on from the one before.
 */
export async function permutedRewards(context: RoundContext, request: ArmRequest): Promise<Arm> {
  const { definition, tokenizer } = context;
  const { base, rounds, trained, progress } = request;
  if (trained.every(({ rollouts }) => rollouts === 0))
    return { none: "nothing was sampled by then, so there were no rewards to permute" };
  const blocked = new Set(trained.filter((one) => one.blocked).map(({ round }) => round));
  let lineage: Lineage = base;
  const tallies: Tally[] = [];
  const made: string[] = [];
  for (const { before, after } of rounds) {
    const { round } = after;
    if (blocked.has(round)) continue;
    const { lineage: start } = startingPoint(before);
    // Both are stored: what is read is what the round learnt from.
    const pool = await acquireStage(context, round, start, before);
    const selection = await selectStage(context, round, start, pool);
    const seed = streamOf(context, round, "baseline-permuted").seed();
    const method = withRewards(methodOf(definition.optimize, round), (of) => permuted({ of, seed }));
    const outcome = await runMethod(
      method,
      armMethodContext(context, request, {
        round,
        items: selection.items,
        base: pool.demonstrations.map((one) => exampleOfDemonstration(tokenizer, one)),
        older: await olderSets(context, method, lineage.rollouts),
        buffers: lineage.buffers ?? {},
        current: lineage.checkpoints,
        remedies: before.remedies,
      }),
    );
    tallies.push(outcome.tally);
    const kept = new Set(Object.values(lineage.checkpoints));
    made.push(...Object.values(outcome.checkpoints).filter((checkpoint) => !kept.has(checkpoint)));
    lineage = {
      ...lineage,
      round,
      checkpoints: outcome.checkpoints,
      rollouts: [...lineage.rollouts, ...outcome.rollouts],
      buffers: outcome.buffers,
    };
  }
  return {
    measured: await measureValidation(context, lineage, progress),
    compute: computeOfAll(tallies),
    text: `${tallies.length === 1 ? "the first round" : `the first ${tallies.length} rounds`} again, with the rewards of each batch permuted among its rollouts`,
    made,
  };
}
