import type { Demonstration } from "../../foundation/contract/index.ts";
import { exampleOfDemonstration } from "../../gro/rollout/index.ts";
import {
  type Batch,
  imitation,
  type SupervisedUpdate,
  supervised,
  trainBatches,
  warmupStableDecay,
} from "../../gro/update/index.ts";
import { demonstrations } from "../../lifecycle/acquire/index.ts";
import type { PreparedModel } from "../../model/engine/index.ts";
import { durable, playStage, type RoundContext, streamOf } from "./context.ts";
import type { RunDefinition } from "./definition.ts";
import type { Lineage } from "./state.ts";

/** Optimiser steps of preparation that a crash may cost at most. */
const stepsBetweenCheckpoints = 250;

/** What round 0 trains; null when the model is taken as it is. */
export function preparationOf({ prepare }: RunDefinition, fromScratch: boolean): SupervisedUpdate | null {
  if (prepare !== null) return prepare;
  return fromScratch ? supervised({ on: demonstrations(), steps: 1500, learningRate: 3e-3 }) : null;
}

/**
 * Round 0: every role's first weights. Each role is a model of its own, from its own seed and with its own data order, and
 * all are trained at once. Not gated: there is nothing yet to compare with.
 */
export async function prepareStage(context: RoundContext, prepared: PreparedModel): Promise<Lineage> {
  const { optimize, task } = context.definition;
  const update = preparationOf(context.definition, prepared.fromScratch);
  const label = update === null ? "the model as it is" : `${update.steps} steps on demonstrations`;
  const checkpoints = await playStage<Record<string, string>>(context, {
    round: 0,
    name: "prepare",
    label,
    input: { fromScratch: prepared.fromScratch },
    work: async (progress) => {
      const done = new Map<string, number>();
      const total = (update?.steps ?? 0) * optimize.roles.length;
      const results = await Promise.all(
        optimize.roles.map(async (role) => {
          const checkpoint = await prepareRole(context, role, prepared, update, (step) => {
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
      const made = Object.fromEntries(results);
      const who =
        optimize.roles.length === 1 ? "one model" : `${optimize.roles.length} models, trained apart`;
      return {
        result: made,
        summary: `${who}: ${label}`,
        events: [{ type: "model-prepared", round: 0, checkpoint: made[optimize.lead] ?? "" }],
      };
    },
  });
  return { round: 0, checkpoints, trainedTo: task.difficulty.base[1], rollouts: [], selections: [] };
}

async function prepareRole(
  context: RoundContext,
  role: string,
  { path, fromScratch }: PreparedModel,
  update: SupervisedUpdate | null,
  onProgress: (step: number) => void,
): Promise<string> {
  const { policies, run } = context;
  const nameOf = (step: number): string => `${run.id}/round-0-${role}-${step}`;
  let checkpoint = await durable(context, `round-0/prepare/${role}/0`, null, async () => {
    await policies.create(
      role,
      path,
      fromScratch ? streamOf(context, 0, `weights/${role}`).seed() : undefined,
    );
    await policies.save(role, nameOf(0));
    return nameOf(0);
  });
  if (update === null) return checkpoint;
  const { steps, learningRate } = update;
  const batchAt = await batches(context, role, update);
  for (let from = 0; from < steps; from += stepsBetweenCheckpoints) {
    const to = Math.min(steps, from + stepsBetweenCheckpoints);
    const begin = checkpoint;
    checkpoint = await durable(context, `round-0/prepare/${role}/${to}`, { begin }, async () => {
      const policy = await policies.open(role, { checkpoint: begin, optimizerState: "continued" });
      const learningRateAt = (step: number): number => learningRate * warmupStableDecay(step, steps);
      await trainBatches({ policy, from, to, batchAt, learningRateAt, onProgress });
      await policies.save(role, nameOf(to));
      return nameOf(to);
    });
  }
  return checkpoint;
}

/** Batches of demonstrations: drawn anew each step from an endless source, else picked from what the source has. */
async function batches(
  context: RoundContext,
  role: string,
  { on = demonstrations(), batch }: SupervisedUpdate,
): Promise<(step: number) => Batch | undefined> {
  const { definition, tokenizer } = context;
  const { task } = definition;
  const random = streamOf(context, 0, `prepare/${role}`);
  const { draw } = on;
  let drawAt: (step: number) => readonly Demonstration[];
  if (draw !== undefined) drawAt = (step) => draw(task, batch, random.fork(step));
  else {
    const stream = streamOf(context, 0, "prepare");
    const trainedTo = task.difficulty.base[1];
    const pool = await on.acquire({ task, round: 0, random: stream, trainedTo, frontier: null });
    drawAt = (step) => {
      const steps = random.fork(step);
      return Array.from({ length: Math.min(batch, pool.demonstrations.length) }, () =>
        steps.pick(pool.demonstrations),
      );
    };
  }
  return (step) => imitation(drawAt(step).map((one) => exampleOfDemonstration(tokenizer, one)));
}
