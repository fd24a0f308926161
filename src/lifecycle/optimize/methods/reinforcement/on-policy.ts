import { z } from "zod";
import { samples } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import type { RewardPart } from "../../../../gro/reward/index.ts";
import type { UpdatePart } from "../../../../gro/update/index.ts";

/** The option of methods whose batches may be written while the one before is learnt from. */
export const overlapOption = {
  /** Write the next batch while one is learnt from: its weights lie one batch back, which the ratio to the sampler weighs. */
  overlap: z.boolean().default(false),
};

/** The options that methods which follow what they have just written have in common, with a method's own defaults. */
export const onPolicyOptions = ({ items = 32, attempts = 8, least = 2, learningRate = 3e-4 } = {}) => ({
  /** Items of one batch of rollouts. */
  items: z.number().int().min(1).default(items),
  /** Attempts at each item. */
  samples: z.number().int().min(least).default(attempts),
  /** Other than 1, what is followed is not the law that is sampled from: logprobs are kept at 1, and the ratio does not correct it. */
  temperature: z.number().positive().default(1),
  /** Batches in a round. */
  steps: z.number().int().min(1).default(10),
  learningRate: z.number().positive().default(learningRate),
  /** `own`: the moments of these steps alone, those of a preparation are left behind; `fresh`: zero in each round. */
  optimizerState: z.enum(["own", "continued", "fresh"]).default("own"),
});

export interface OnPolicy {
  readonly name: string;
  readonly items: number;
  readonly samples: number;
  readonly temperature: number;
  readonly steps: number;
  readonly reward: RewardPart;
  readonly update: UpdatePart;
  readonly refill?: number;
  readonly overlap?: boolean;
}

/** Batches of samples, each rewarded and learnt from before the next is written. */
export function onPolicy({ name, items, temperature, steps, refill, overlap, ...rest }: OnPolicy): Method {
  return gro({
    name,
    generate: samples({ samples: rest.samples, temperature }),
    reward: rest.reward,
    update: rest.update,
    items,
    ...(refill === undefined ? {} : { refill }),
    repeat: steps,
    ...(overlap === undefined ? {} : { overlap }),
  });
}
