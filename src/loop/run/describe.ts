import { hashOf, type Json } from "../../foundation/base/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { part, protocolOf } from "../round/protocol.ts";

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
    ...(definition.refusals === undefined ? {} : { refusals: part(definition.refusals) }),
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

export function configHash(definition: RunDefinition): string {
  return hashOf(describeRun(definition));
}

/** What a measurement depends on: task, harness, target distribution and gate. Two scorecards compare only under one of these. */
export function protocolHash(definition: RunDefinition): string {
  return hashOf(protocolOf(definition));
}

/**
 * Two definitions with one key can train the same weights: the same engine reads them, their tokens mean the same, and so do
 * their splits. Another version of a task divides its items anew: what was learnt from may be decision items of it.
 */
export function weightsKey(definition: RunDefinition): string {
  const { engine, model, optimize, task } = definition;
  return hashOf({
    ...loraOf(definition),
    engine: engine.name,
    model: part(model),
    roles: [...optimize.roles],
    task: `${task.name}@${task.version}`,
    characters: task.characters,
  });
}
