import { z } from "zod";
import { smallestWorth } from "../gate.ts";
import { defaultMargin } from "../probes.ts";
import type { Decided } from "./schema.ts";

const contentSchema = z.looseObject({
  task: z.looseObject({ name: z.string(), version: z.number() }),
  strata: z.array(z.looseObject({ name: z.string(), weight: z.number() })),
  gate: z.looseObject({
    alpha: z.number().positive().max(0.5),
    smallestGain: z.number().positive().max(0.5).nullable(),
    cap: z.number().int().min(1),
    reusedOpenings: z.number().int().min(1),
    probes: z.union([z.literal("enumerated"), z.array(z.string())]).optional(),
    probeMargin: z.number().positive().max(0.5).optional(),
    thinProbes: z.enum(["refuse", "drop"]).optional(),
  }),
});

/** What the protocol says of task and gate; undefined where it does not say it. */
export function gateOf({ protocol, opening }: Pick<Decided, "protocol" | "opening">) {
  const read = contentSchema.safeParse(protocol.content);
  if (!read.success) return undefined;
  const { task, strata, gate } = read.data;
  const { alpha, cap, reusedOpenings, probes, probeMargin, thinProbes } = gate;
  return {
    task,
    strata,
    alpha,
    cap,
    reusedOpenings,
    smallestGain: smallestWorth({ smallestGain: gate.smallestGain ?? undefined }, opening.reused),
    /** Names of the probes that the protocol demands; those that are measured whole are the task's affair. */
    named: Array.isArray(probes) ? probes : [],
    margin: probeMargin ?? defaultMargin,
    thinProbes: thinProbes ?? "refuse",
  };
}

export type GateOf = NonNullable<ReturnType<typeof gateOf>>;
