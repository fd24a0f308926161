import { existsSync } from "node:fs";
import { z } from "zod";
import type { Baseline, BaselineName, RunEvent } from "../../foundation/contract/index.ts";
import { validationMeasurementSchema } from "../../foundation/contract/index.ts";
import { percent } from "../../foundation/statistics/index.ts";
import { gainOf, type Measured } from "../../lifecycle/evaluate/index.ts";
import type { Arm, ArmRequest, PlayedRound } from "./baselines/arm.ts";
import { bestOfBase } from "./baselines/best-of-base.ts";
import { pointAt, shortShare, trainedRounds } from "./baselines/comparison-point.ts";
import { permutedRewards } from "./baselines/permuted-rewards.ts";
import { supervisedOnly } from "./baselines/supervised-only.ts";
import {
  leadCheckpoint,
  playStage,
  type RoundContext,
  type StageProgress,
  shippedCheckpoints,
  shippedName,
  tell,
} from "./context.ts";
import { measureValidation } from "./evaluate.ts";
import type { Lineage } from "./state.ts";

export type { PlayedRound } from "./baselines/arm.ts";

export interface BaselinesRequest {
  readonly mode: "short" | "full";
  readonly base: Lineage;
  /** Every round of the run that was played, in order. */
  readonly rounds: readonly PlayedRound[];
  /** The last round. */
  readonly round: number;
  readonly fromScratch: boolean;
}

const arms: Readonly<
  Record<
    BaselineName,
    readonly [label: string, make: (context: RoundContext, request: ArmRequest) => Promise<Arm>]
  >
> = {
  "best-of-n": ["many answers of the base", bestOfBase],
  supervised: ["training on data that no model wrote", supervisedOnly],
  "permuted-rewards": ["the run's rounds with permuted rewards", permutedRewards],
};

const resultSchema = z.object({ made: z.array(z.string()) });

/**
 * What other ways come to with the compute that the run had taken at one of its checkpoints (design §8), on validation items:
 * each a durable step of the run. Measured once no round is left to learn of it.
 */
export async function measureBaselines(context: RoundContext, request: BaselinesRequest): Promise<void> {
  const { ledger, policies, samplers, run } = context;
  const { mode, base, round, fromScratch } = request;
  const trained = trainedRounds(run.events());
  const point = pointAt(trained, mode === "short" ? shortShare : 1);
  if (point === null) return leaveOut(context, request, "no round has learnt anything");
  const rounds = request.rounds.filter(({ after }) => after.round <= point.round);
  const own = ownOf(context, base, rounds.at(-1));
  if (!existsSync(ledger.checkpointPath(leadCheckpoint(context, own.lineage))))
    return leaveOut(
      context,
      request,
      `the weights of round ${own.lineage.round}, to compare with, are no longer there`,
    );
  const measuring = measuredOnce(context);
  for (const [baseline, [label, make]] of Object.entries(arms) as [
    BaselineName,
    (typeof arms)[BaselineName],
  ][]) {
    const part = `${mode}-${baseline}`;
    const stored = await playStage(context, {
      round,
      name: "baseline",
      part,
      label,
      input: { point: { ...point }, own: shippedName(context, own.lineage) },
      work: async (progress) => {
        const arm = await make(context, {
          key: `round-${round}/baseline-${part}`,
          point,
          base,
          rounds,
          trained: trained.filter((one) => one.round <= point.round),
          fromScratch,
          progress,
        });
        const common = { type: "baseline-measured", round, baseline, mode, at: point } as const;
        if ("none" in arm)
          return {
            result: { made: [] },
            summary: `none: ${arm.none}`,
            events: [{ ...common, text: arm.none, measured: null }],
          };
        const measured = await compared(context, arm, { base, own }, (lineage) =>
          measuring(lineage, progress),
        );
        const event: RunEvent = { ...common, text: arm.text, measured };
        return {
          result: { made: [...arm.made] },
          summary: `accuracy ${percent(measured.measurement.mean)}, the run's own ${percent(measured.own.measurement.mean)}`,
          events: [event],
        };
      },
    });
    const { made } = resultSchema.parse(stored);
    await samplers.keep([base, own.lineage].flatMap((lineage) => shippedCheckpoints(context, lineage)));
    for (const checkpoint of made) await policies.discard(checkpoint);
  }
}

/** Says why those that were asked for are not there, or not all. */
export function leaveOut(
  context: RoundContext,
  { round, mode }: Pick<BaselinesRequest, "round" | "mode">,
  reason: string,
): void {
  tell(context, `round-${round}/baselines-left-out/${mode}`, {
    type: "baselines-left-out",
    round,
    mode,
    reason,
  });
}

interface Own {
  readonly lineage: Lineage;
  readonly promoted: boolean;
}

/**
 * The run's checkpoint after a round: its champion, or, where nothing was promoted by then, the weights that its rounds had come
 * to.
 */
function ownOf(context: RoundContext, base: Lineage, played: PlayedRound | undefined): Own {
  if (played === undefined) return { lineage: base, promoted: false };
  const { champion, candidate } = played.after;
  if (shippedName(context, champion) !== shippedName(context, base))
    return { lineage: champion, promoted: true };
  return { lineage: candidate ?? base, promoted: false };
}

type Measuring = (lineage: Lineage, progress: StageProgress) => Promise<Measured>;

/** Each of the two that every baseline is compared with answers once a process. */
function measuredOnce(context: RoundContext): Measuring {
  const known = new Map<string, Promise<Measured>>();
  return (lineage, progress) => {
    const name = shippedName(context, lineage);
    const measured = known.get(name) ?? measureValidation(context, lineage, progress);
    known.set(name, measured);
    return measured;
  };
}

async function compared(
  context: RoundContext,
  { measured, compute }: Exclude<Arm, { readonly none: string }>,
  { base, own }: { readonly base: Lineage; readonly own: Own },
  measuring: (lineage: Lineage) => Promise<Measured>,
): Promise<NonNullable<Baseline["measured"]>> {
  const { task } = context.definition;
  const before = (await measuring(base)).judged;
  const ours = await measuring(own.lineage);
  const gain = (from: Measured["judged"], to: Measured["judged"]) =>
    gainOf({ task, before: from, after: to });
  return {
    measurement: validationMeasurementSchema.parse(measured.measurement),
    overBase: gain(before, measured.judged),
    compute,
    own: {
      checkpoint: leadCheckpoint(context, own.lineage),
      promoted: own.promoted,
      measurement: validationMeasurementSchema.parse(ours.measurement),
      overBase: gain(before, ours.judged),
    },
    ahead: gain(measured.judged, ours.judged),
  };
}
