import { existsSync } from "node:fs";
import { z } from "zod";
import { allSettled, type Json, userError } from "../../foundation/base/index.ts";
import { stepCadence, stretchesOf } from "../../gro/method/index.ts";
import {
  type StepLoss,
  type SupervisedUpdate,
  trainBatches,
  trainingLoss,
  warmupStableDecay,
} from "../../gro/update/index.ts";
import type { PreparedModel } from "../../model/engine/index.ts";
import { askedCheckpoints, durable, playStage, type RoundContext, signalOf, streamOf } from "./context.ts";
import { keepLineage } from "./keep-lineage.ts";
import { lossWords } from "./loss-words.ts";
import { preparationBatches, preparationKey, preparationOf, preparationSteps } from "./preparation.ts";
import type { Lineage } from "./state.ts";

/**
 * Round 0: every role's first weights. Each role is a model of its own, from its own seed and with its own data order, and
 * all are trained at once; what an earlier run of this folder prepared just so is taken from it. Not gated: there is
 * nothing yet to compare with. Throws user errors `peers-alike`, `no-demonstrations` and `foreign-items`.
 */
export async function prepareStage(context: RoundContext, prepared: PreparedModel): Promise<Lineage> {
  const { definition, ledger, run } = context;
  const { optimize, task } = definition;
  const update = preparationOf(definition, prepared.fromScratch);
  // Who begins alike is prepared once, as the role that answers.
  const roles = optimize.alike === true ? [optimize.lead] : optimize.roles;
  if (update === null && roles.length > 1)
    throw userError(
      "peers-alike",
      `${optimize.name} compares ${roles.length} models that were trained apart, and all would begin with the same weights: give each its own training first, with prepare: supervised({ on: demonstrations() }).`,
    );
  const label =
    update === null ? "the model as it is" : `${preparationSteps(update)} steps on demonstrations`;
  const checkpoints = await playStage<Record<string, string>>(context, {
    round: 0,
    name: "prepare",
    label,
    input: { fromScratch: prepared.fromScratch },
    work: async (progress) => {
      const keys = new Map(roles.map((role) => [role, preparationKey(definition, role, update, prepared)]));
      const known = new Map(
        [...keys].flatMap(([role, key]) => {
          const checkpoint = ledger.getFact(key);
          // What this run has made is read from its own steps, with the losses that it had.
          return typeof checkpoint === "string" &&
            !checkpoint.startsWith(`${run.id}/`) &&
            existsSync(ledger.checkpointPath(checkpoint))
            ? [[role, checkpoint]]
            : [];
        }),
      );
      const done = new Map<string, number>();
      const total = (update === null ? 0 : preparationSteps(update)) * (roles.length - known.size);
      let leadLosses: readonly StepLoss[] = [];
      const trained = new Map<string, readonly string[]>();
      const made = await allSettled(
        roles.map(async (role): Promise<[string, string]> => {
          const onProgress = (step: number, loss: StepLoss): void => {
            done.set(role, step);
            progress("train", sum(done.values()), total, loss);
          };
          const earlier = known.get(role);
          const { checkpoint, losses, records } =
            earlier === undefined
              ? await prepareRole(context, role, prepared, update, onProgress)
              : { checkpoint: earlier, losses: [], records: [] };
          trained.set(role, records);
          if (role === optimize.lead) leadLosses = losses;
          ledger.setFact(keys.get(role) ?? "", checkpoint);
          return [role, checkpoint];
        }),
      );
      const own = Object.fromEntries(made);
      const result = Object.fromEntries(
        optimize.roles.map((role) => [role, own[role] ?? own[optimize.lead] ?? ""]),
      );
      const who = roles.length === 1 ? "one model" : `${roles.length} models, trained apart`;
      const whence =
        known.size === 0
          ? ""
          : known.size === roles.length
            ? ", made by an earlier run here"
            : `; ${known.size === 1 ? "one of them was" : `${known.size} of them were`} made by an earlier run here`;
      const loss = trainingLoss(leadLosses);
      const lineage = roles.flatMap((role) => trained.get(role) ?? []);
      return {
        result,
        summary: `${who}: ${label}${whence}${lossWords(loss)}`,
        events: [
          {
            type: "model-prepared",
            round: 0,
            checkpoint: result[optimize.lead] ?? "",
            ...askedCheckpoints(context, result),
            ...(loss === undefined ? {} : { loss }),
            ...(lineage.length === 0 ? {} : { lineage }),
          },
        ],
      };
    },
  });
  return { round: 0, checkpoints, trainedTo: task.difficulty.base[1], rollouts: [], selections: [] };
}

/** Ledgers of before losses were kept hold the checkpoint's name alone, and those of before lineage no record. */
const preparedSchema = z.union([
  z.object({
    checkpoint: z.string(),
    losses: z.array(z.number().nullable()),
    record: z.string().nullable().default(null),
  }),
  z.string().transform((checkpoint) => ({ checkpoint, losses: [], record: null })),
]);

interface Prepared {
  readonly checkpoint: string;
  readonly losses: readonly StepLoss[];
  /** What was learnt from, by stretches of steps. */
  readonly records: readonly string[];
}

async function prepareRole(
  context: RoundContext,
  role: string,
  { path, fromScratch }: PreparedModel,
  update: SupervisedUpdate | null,
  onProgress: (step: number, loss: StepLoss) => void,
): Promise<Prepared> {
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
  const losses: StepLoss[] = [];
  const records: string[] = [];
  if (update === null) return { checkpoint, losses, records };
  const { learningRate, gradientClipNorm } = update;
  const steps = preparationSteps(update);
  const batchAt = await preparationBatches(context, role, update);
  for (const { from, to } of stretchesOf(steps, stepCadence)) {
    const begin = checkpoint;
    const stored = await durable<Json>(context, `round-0/prepare/${role}/${to}`, { begin }, async () => {
      const policy = await policies.open(role, { checkpoint: begin, optimizerState: "continued" });
      const learningRateAt = (step: number): number => learningRate * warmupStableDecay(step, steps);
      const { losses: made, uses } = await trainBatches({
        policy,
        from,
        to,
        batchAt,
        learningRateAt,
        gradientClipNorm,
        onProgress,
        ...signalOf(context),
      });
      const [, record] = await allSettled([
        policies.save(role, nameOf(to), { unfinished: to < steps }),
        keepLineage(context, {
          round: 0,
          stage: "prepare",
          role,
          part: "prepare",
          steps: [from, to],
          checkpoint: nameOf(to),
          from: begin,
          method: update.name,
          reward: null,
          rollouts: null,
          writers: {},
          learnt: [{ uses, stepsAfter: 0 }],
        }),
      ]);
      return { checkpoint: nameOf(to), losses: [...made], record };
    });
    const part = preparedSchema.parse(stored);
    await policies.discard(begin);
    checkpoint = part.checkpoint;
    losses.push(...part.losses);
    if (part.record !== null) records.push(part.record);
  }
  return { checkpoint, losses, records };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
