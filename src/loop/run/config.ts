import { z } from "zod";
import { hashOf, type Json, readOptions, userError } from "../../foundation/base/index.ts";
import type { Guard, Harness, Selector, Source, Task } from "../../foundation/contract/index.ts";
import type { Method } from "../../gro/method.ts";
import type { SupervisedUpdate } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { defaults } from "../../lifecycle/guard/index.ts";
import { rejectionSampling } from "../../lifecycle/optimize/index.ts";
import { greedyDecoding } from "../../lifecycle/refine/index.ts";
import { deduplicate } from "../../lifecycle/select/index.ts";
import { type EngineDefinition, fromFolder, type ModelDefinition } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";

function valueWith<T>(member: string, example: string): z.ZodCustom<T, T> {
  return z.custom<T>(
    (value) => typeof value === "object" && value !== null && member in value,
    `expected something like ${example}`,
  );
}

const configSchema = z.strictObject({
  name: z.string().min(1).default("run"),
  /** A model from scratch, or the path of a Hugging Face folder. */
  model: z.union([
    z.string().min(1),
    valueWith<ModelDefinition>("prepare", "tiny({ … }) or a folder's path"),
  ]),
  engine: valueWith<EngineDefinition>("open", "local()").optional(),
  task: valueWith<Task>("verifier", "reverse()"),
  /** Round 0: makes the first champion, not gated. Without it a model from scratch learns the task's demonstrations. */
  prepare: valueWith<SupervisedUpdate>("update", "supervised({ on: demonstrations() })").optional(),
  acquire: z.array(valueWith<Source>("acquire", "procedural()")).min(1).optional(),
  select: z.array(valueWith<Selector>("select", "deduplicate()")).optional(),
  optimize: valueWith<Method>("passes", "rejectionSampling()").optional(),
  refine: valueWith<Harness>("answer", "greedyDecoding()").optional(),
  evaluate: z
    .strictObject({
      over: z.literal("difficulty").default("difficulty"),
      /** Validation items of each stratum in every round. */
      perStratum: z.number().int().min(8).default(128),
      /** Audit items of each stratum after a promotion, and at the end of the run. */
      auditPerStratum: z.number().int().min(4).default(16),
      finalAuditPerStratum: z.number().int().min(8).default(128),
    })
    .prefault({}),
  guard: z.array(valueWith<Guard>("watch", "defaults()")).optional(),
  gate: z
    .strictObject({
      /** `observe` records decisions and acts on none: for controls and ablations. */
      mode: z.enum(["decide", "observe"]).default("decide"),
      alpha: z.number().positive().max(0.5).default(0.05),
      smallestGain: z.number().positive().max(0.5).default(0.01),
      /** Most pairs of an opening. */
      cap: z.number().int().min(10).default(4000),
    })
    .prefault({}),
  /** After a rejection: go on from the candidate (at most three times, then from the champion), or from the champion. */
  afterReject: z.enum(["candidate", "champion"]).default("candidate"),
  oversight: z
    .strictObject({ ask: z.array(z.never("no question can be asked yet; leave the list empty")).default([]) })
    .prefault({}),
  budget: z.strictObject({ rounds: z.number().int().min(0).default(8) }).prefault({}),
  precision: z.enum(["fp32", "bf16"]).default("fp32"),
  seed: z.number().int().min(0).default(0),
});
/** What a run is: one value, every stage visible in it. `model` and `task` alone are a valid run. */
export type RunConfig = Readonly<z.input<typeof configSchema>>;

/** A run with all its defaults filled in. */
export interface RunDefinition {
  readonly name: string;
  readonly model: ModelDefinition;
  readonly engine: EngineDefinition;
  readonly task: Task;
  readonly prepare: SupervisedUpdate | null;
  readonly acquire: readonly Source[];
  readonly select: readonly Selector[];
  readonly optimize: Method;
  readonly refine: Harness;
  readonly evaluate: z.output<typeof configSchema>["evaluate"];
  readonly guard: readonly Guard[];
  readonly gate: z.output<typeof configSchema>["gate"];
  readonly afterReject: "candidate" | "champion";
  readonly budget: { readonly rounds: number };
  readonly precision: "fp32" | "bf16";
  readonly seed: number;
}

const mark = Symbol.for("whetstone.run-definition");

/**
 * Reads a run's configuration: fills in defaults, and refuses a wrong or unknown option by naming the nearest right one.
 * Throws a user error `invalid-option`.
 *
 * @example
 * export default defineRun({ model: tiny({ tokenizer: characters("0123456789=") }), task: reverse() });
 */
export function defineRun(config: RunConfig): RunDefinition {
  const read = readOptions("defineRun()", configSchema, config);
  const {
    guard,
    acquire,
    select,
    optimize,
    refine,
    engine,
    model,
    prepare,
    oversight: _none,
    ...rest
  } = read;
  const definition: RunDefinition = {
    ...rest,
    model: typeof model === "string" ? fromFolder(model) : model,
    engine: engine ?? local(),
    prepare: prepare ?? null,
    acquire: acquire ?? [demonstrations(), procedural()],
    select: select ?? [deduplicate()],
    optimize: optimize ?? rejectionSampling(),
    refine: refine ?? greedyDecoding(),
    guard: guard ?? defaults(),
  };
  if (definition.prepare !== null && definition.prepare.on === undefined)
    throw userError(
      "invalid-option",
      'defineRun(): "prepare" needs its data: supervised({ on: demonstrations(), … }).',
    );
  Object.defineProperty(definition, mark, { value: true });
  return definition;
}

/** Recognises what {@link defineRun} returns. */
export function isRunDefinition(value: unknown): value is RunDefinition {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[mark] === true;
}

/** What decides a run's outcome, as data. The rounds are left out: a run with more of them is the same run, longer. */
export function describeRun(definition: RunDefinition): Readonly<Record<string, Json>> {
  const { model, task, prepare, acquire, select, optimize, refine, evaluate, guard, gate, engine } =
    definition;
  const part = (value: { name: string; description?: Readonly<Record<string, unknown>> }): Json =>
    JSON.parse(JSON.stringify({ name: value.name, ...(value.description ?? {}) })) as Json;
  return {
    name: definition.name,
    model: part(model),
    engine: { name: engine.name },
    task: { name: task.name, version: task.version, ...task.options },
    prepare:
      prepare === null ? null : { ...(part(prepare) as object), on: prepare.on ? part(prepare.on) : null },
    acquire: acquire.map(part),
    select: select.map(part),
    optimize: part(optimize),
    refine: part(refine),
    evaluate: { ...evaluate },
    guard: guard.map(({ name, definition: meaning }) => ({ name, definition: meaning })),
    gate: { ...gate },
    afterReject: definition.afterReject,
    precision: definition.precision,
    seed: definition.seed,
  };
}

export function configHash(definition: RunDefinition): string {
  return hashOf(describeRun(definition));
}

/** What a measurement depends on: task, harness, target distribution and gate. Two scorecards compare only under one of these. */
export function protocolHash(definition: RunDefinition): string {
  const { task, refine, evaluate, gate } = definition;
  return hashOf({
    task: { name: task.name, version: task.version, ...task.options },
    strata: task.strata.map(({ name, difficulty, weight }) => ({ name, difficulty, weight })),
    verifier: { name: task.verifier.name, version: task.verifier.version },
    harness: { name: refine.name, ...refine.description },
    evaluate: { ...evaluate },
    gate: { alpha: gate.alpha, smallestGain: gate.smallestGain, cap: gate.cap },
  });
}
