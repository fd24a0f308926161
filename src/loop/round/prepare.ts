import type { Demonstration } from "../../foundation/contract/index.ts";
import { exampleOfDemonstration } from "../../gro/rollout/index.ts";
import { imitation, trainBatches, warmupStableDecay } from "../../gro/update/index.ts";
import { durable, type RoundContext, stage, streamOf } from "./context.ts";
import type { Lineage } from "./state.ts";

/** Optimiser steps of preparation that a crash may cost at most. */
const stepsBetweenCheckpoints = 500;

/**
 * Round 0: every role's first weights. Each role is a model of its own, from its own seed and with its own data order, and
 * all are trained at once. Not gated: there is nothing yet to compare with.
 */
export async function prepareStage(
  context: RoundContext,
  folder: string,
  fromScratch: boolean,
): Promise<Lineage> {
  const { definition } = context;
  const { optimize, prepare, task } = definition;
  const label = prepare === null ? "save the model as it is" : `${prepare.steps} steps on demonstrations`;
  const checkpoints = await stage(context, 0, "prepare", label, async (progress) => {
    const done = new Map<string, number>();
    const total = (prepare?.steps ?? 0) * optimize.roles.length;
    const results = await Promise.all(
      optimize.roles.map(async (role) => {
        const checkpoint = await prepareRole(context, role, folder, fromScratch, (step) => {
          done.set(role, step);
          progress(
            "train",
            [...done.values()].reduce((sum, one) => sum + one, 0),
            total,
          );
        });
        return [role, checkpoint] as const;
      }),
    );
    const who = optimize.roles.length === 1 ? "one model" : `${optimize.roles.length} models, trained apart`;
    return { result: Object.fromEntries(results), summary: `${who}: ${label}` };
  });
  return {
    round: 0,
    checkpoints,
    trainedTo: task.difficulty.base[1],
    rollouts: [],
    selections: [],
  };
}

async function prepareRole(
  context: RoundContext,
  role: string,
  folder: string,
  fromScratch: boolean,
  onProgress: (step: number) => void,
): Promise<string> {
  const { policies, definition, tokenizer, run } = context;
  const { prepare, task } = definition;
  const name = (label: string): string => `${run.id}/round-0-${role}-${label}`;
  let checkpoint = await durable(context, `round-0/prepare/${role}/0`, async () => {
    await policies.create(
      role,
      folder,
      fromScratch ? streamOf(context, 0, `weights/${role}`).seed() : undefined,
    );
    await policies.save(role, name("0"));
    return name("0");
  });
  if (prepare === null) return checkpoint;
  const { on, batch, steps, learningRate } = prepare;
  const random = streamOf(context, 0, `prepare/${role}`);
  const fixed: readonly Demonstration[] =
    on === undefined || on.draw !== undefined
      ? []
      : (
          await on.acquire({
            task,
            round: 0,
            random: streamOf(context, 0, "prepare"),
            trainedTo: task.difficulty.base[1],
            frontier: null,
          })
        ).demonstrations;
  for (let from = 0; from < steps; from += stepsBetweenCheckpoints) {
    const to = Math.min(steps, from + stepsBetweenCheckpoints);
    const begin = checkpoint;
    checkpoint = await durable(context, `round-0/prepare/${role}/${to}`, async () => {
      const policy = await policies.open(role, { checkpoint: begin, optimizerState: "continued" });
      await trainBatches({
        policy,
        from,
        to,
        batchAt: (step) => {
          const stream = random.fork(step);
          const drawn = on?.draw
            ? on.draw(task, batch, stream)
            : Array.from({ length: Math.min(batch, fixed.length) }, () => stream.pick(fixed));
          return imitation(drawn.map((demonstration) => exampleOfDemonstration(tokenizer, demonstration)));
        },
        learningRateAt: (step) => learningRate * warmupStableDecay(step, steps),
        onProgress,
      });
      await policies.save(role, name(String(to)));
      return name(String(to));
    });
  }
  return checkpoint;
}
