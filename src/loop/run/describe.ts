import { hashOf, type Json } from "../../foundation/base/index.ts";
import type { RunDefinition } from "../round/definition.ts";

/** What decides a run's outcome, as data. The rounds are left out: a run with more of them is the same run, longer. */
export function describeRun(definition: RunDefinition): Readonly<Record<string, Json>> {
  const { model, task, prepare, acquire, select, optimize, refine, evaluate, guard, gate, engine } =
    definition;
  return {
    name: definition.name,
    model: part(model),
    engine: part(engine),
    task: { name: task.name, version: task.version, ...task.options },
    verifier: { version: task.verifier.version, ...part(task.verifier) },
    prepare: prepare === null ? "default" : { ...part(prepare), on: prepare.on ? part(prepare.on) : null },
    acquire: acquire.map(part),
    select: select.map(part),
    optimize: part(optimize),
    refine: part(refine),
    evaluate: { ...evaluate },
    guard: guard.map(part),
    gate: JSON.parse(JSON.stringify(gate)) as Json,
    afterReject: definition.afterReject,
    precision: definition.precision,
    ...(definition.gradientCheckpointing ? { gradientCheckpointing: true } : {}),
    ...loraOf(definition),
    seed: definition.seed,
  };
}

/** Named only where there are adapters, so that runs without them are what they were. */
export function loraOf({ lora }: RunDefinition): { readonly lora?: Json } {
  return lora === undefined ? {} : { lora: JSON.parse(JSON.stringify(lora)) as Json };
}

function part(value: {
  readonly name: string;
  readonly description?: Readonly<Record<string, unknown>>;
}): Readonly<Record<string, Json>> {
  return JSON.parse(JSON.stringify({ name: value.name, ...value.description })) as Record<string, Json>;
}

export function configHash(definition: RunDefinition): string {
  return hashOf(describeRun(definition));
}

/** What a measurement depends on: task, harness, target distribution and gate. Two scorecards compare only under one of these. */
export function protocolHash(definition: RunDefinition): string {
  return hashOf(protocolOf(definition));
}

/** What {@link protocolHash} is of. */
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

/** Two definitions with one key can train the same weights: the same engine reads them, and their tokens mean the same. */
export function weightsKey(definition: RunDefinition): string {
  const { engine, model, optimize, task } = definition;
  return hashOf({
    ...loraOf(definition),
    engine: engine.name,
    model: part(model),
    roles: [...optimize.roles],
    task: task.name,
    characters: task.characters,
  });
}
