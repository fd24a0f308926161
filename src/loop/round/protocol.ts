import type { Json } from "../../foundation/base/index.ts";
import type { RunDefinition } from "./definition.ts";

/** What a measurement depends on: the protocol hash is of this. */
export function protocolOf({ task, refine, evaluate, gate }: RunDefinition): Readonly<Record<string, Json>> {
  const { probes, probeMargin, probeDiscordance, thinProbes } = gate;
  return {
    task: { name: task.name, version: task.version, ...task.options },
    strata: task.strata.map(({ name, difficulty, weight }) => ({ name, difficulty, weight })),
    verifier: { version: task.verifier.version, ...part(task.verifier) },
    harness: { name: refine.name, ...refine.description },
    evaluate: { ...evaluate },
    gate: {
      alpha: gate.alpha,
      smallestGain: gate.smallestGain ?? null,
      cap: gate.cap,
      reusedOpenings: gate.reusedOpenings,
      ...(probes === undefined ? {} : { probes: typeof probes === "string" ? probes : [...probes] }),
      ...(probeMargin === undefined ? {} : { probeMargin }),
      ...(probeDiscordance === undefined ? {} : { probeDiscordance }),
      ...(thinProbes === undefined ? {} : { thinProbes }),
    },
  };
}

/** A part of a run as data. */
export function part(value: {
  readonly name: string;
  readonly description?: Readonly<Record<string, unknown>>;
}): Readonly<Record<string, Json>> {
  return JSON.parse(JSON.stringify({ name: value.name, ...value.description })) as Record<string, Json>;
}
