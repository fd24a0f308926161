import { z } from "zod";
import { nearest, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import {
  askedSchema,
  budgetSchema,
  type Guard,
  type Harness,
  type RefusalProbes,
  type Selector,
  type Source,
  type Task,
} from "../../foundation/contract/index.ts";
import { checkBuffers, checkFollowed, checkMethod, turnsOf } from "../../gro/method/index.ts";
import type { Method } from "../../gro/method.ts";
import type { SupervisedUpdate } from "../../gro/update/index.ts";
import { demonstrations, procedural, prompts } from "../../lifecycle/acquire/index.ts";
import { defaults, refusalLoss } from "../../lifecycle/guard/index.ts";
import { rejectionSampling } from "../../lifecycle/optimize/index.ts";
import { greedyDecoding } from "../../lifecycle/refine/index.ts";
import { deduplicate } from "../../lifecycle/select/index.ts";
import { type EngineDefinition, loraModules, type ModelDefinition, tiny } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { modelCalled } from "../../model/hub/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { checkBudget } from "./budget.ts";
import { checkParts } from "./check-parts.ts";

function partLike<T>(member: string, example: string): z.ZodCustom<T, T> {
  return valueWith<T>(member, `expected something like ${example}`);
}

type Baselines = NonNullable<RunDefinition["baselines"]>;
const baselineModes = ["short", "full"] as const;
const baselinesOff = z.strictObject({ off: z.string().min(1) });

/** One message for both forms: whoever gives neither is told both. */
const baselinesSchema = z.custom<Baselines>(
  (value) => baselineModes.some((mode) => mode === value) || baselinesOff.safeParse(value).success,
  {
    error: ({ input }) => {
      const meant = typeof input === "string" ? nearest(input, baselineModes) : undefined;
      const given = meant === undefined ? "expected" : `did you mean "${meant}"? It takes`;
      return `${given} "short", "full" or { off: "the reason why there are none" }`;
    },
  },
);

/** Every reward from outside the model and every measurement asks a task's verifier: there is no run without one. */
const taskSchema = z.custom<Task>(
  (value) => typeof memberOf(memberOf(value, "verifier"), "verify") === "function",
  {
    error: ({ input }) =>
      typeof memberOf(input, "generate") === "function"
        ? `the task ${String(memberOf(input, "name"))} has no verifier, which rewards from outside the model and the gate ask what is right: give it one, such as verifier: exact()`
        : "expected something like reverse()",
  },
);

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

const configSchema = z.strictObject({
  /** Runs of one name are one line: an edited configuration goes on from its name's champion. */
  name: z.string().min(1).max(80).optional(),
  /** A model from scratch, a name such as smollm2-135m, or the path of a Hugging Face folder or GGUF file. */
  model: z
    .union([
      z.string().min(1),
      partLike<ModelDefinition>("prepare", "tiny({ … }), a name or a folder's path"),
    ])
    .optional(),
  engine: partLike<EngineDefinition>("open", "local()").optional(),
  task: taskSchema,
  /** Round 0: makes the first champion, not gated. Left out, a model without weights learns the task's demonstrations. */
  prepare: partLike<SupervisedUpdate>("update", "supervised({ on: demonstrations() })").optional(),
  acquire: z.array(partLike<Source>("acquire", "procedural()")).min(1).optional(),
  select: z.array(partLike<Selector>("select", "deduplicate()")).optional(),
  optimize: partLike<Method>("passes", "rejectionSampling()").optional(),
  refine: partLike<Harness>("answer", "greedyDecoding()").optional(),
  /** How many items each measurement asks, of each stratum (docs/config.md). */
  evaluate: z
    .strictObject({
      /** What a stratum's place in the heat map is. */
      over: z.literal("difficulty").default("difficulty"),
      /** Validation items of each stratum in every round, the same ones always; 128 if left out. */
      perStratum: z.number().int().min(8).default(128),
      /** Audit items of each stratum after a promotion, new champion against old; 16 if left out. */
      auditPerStratum: z.number().int().min(4).default(16),
      /** Audit items of each stratum at the end of the run, for the gain that is claimed; 128 if left out. */
      finalAuditPerStratum: z.number().int().min(8).default(128),
      /** Validation items, over all strata, that are attempted 16 times in every round for meters and guards; 0: none. */
      attemptItems: z.number().int().min(0).default(64),
    })
    .prefault({}),
  /** Prompts that the model is to refuse: how many it does is a meter. */
  refusals: partLike<RefusalProbes>("judge", "refusalProbes({ prompts: [ … ] })").optional(),
  guard: z.array(partLike<Guard>("watch", "logprobMismatch()")).optional(),
  gate: z
    .strictObject({
      /** `observe` records decisions and acts on none: for controls and ablations. */
      mode: z.enum(["decide", "observe"]).default("decide"),
      alpha: z.number().positive().max(0.5).default(0.05),
      /** The smallest gain worth having: .01 if left out, and .03 where decision items are reused. */
      smallestGain: z.number().positive().max(0.5).optional(),
      /** Most pairs of an opening. */
      cap: z.number().int().min(10).default(4000),
      /** Most openings, in this folder, on decision items that are reused because they are few, as those of a file. */
      reusedOpenings: z.number().int().min(1).max(20).default(4),
      /** Strata that must not drop: those that are measured whole, or a list of names; [] for none. */
      probes: z.union([z.literal("enumerated"), z.array(z.string().min(1))]).default("enumerated"),
      /** A loss of this much in one of them must not pass. */
      probeMargin: z.number().positive().max(0.5).default(0.02),
      /** Share of a probe's items on which two models that are equally good are taken to differ: how many it needs. */
      probeDiscordance: z.number().min(0).max(1).default(0.1),
      /** What becomes of probes with too few items: the run is refused, or goes on without them. */
      thinProbes: z.enum(["refuse", "drop"]).default("refuse"),
    })
    .prefault({}),
  /** After a rejection: go on from the candidate (at most three times, then from the champion), or from the champion. */
  afterReject: z.enum(["candidate", "champion"]).default("candidate"),
  /** What a person approves before it is done: `whetstone approve` and `whetstone reject` answer. */
  oversight: z
    .strictObject({
      ask: z.array(askedSchema).default([]),
      /** What goes on while a promotion waits for its answer: nothing, or the next round, from the champion. */
      whileWaiting: z.enum(["stop", "next-round"]).default("stop"),
    })
    .prefault({}),
  /** What the run may take, all of its processes together; it stops cleanly at the first cap that it reaches. */
  budget: z
    .strictObject({ ...budgetSchema.shape, rounds: budgetSchema.shape.rounds.default(8) })
    .prefault({}),
  /**
   * What the run is compared with at its end (docs/baselines.md), at a tenth of its compute or, outside of the budget, at all of
   * it; or why with nothing. Left out, `short` for runs of five rounds and more.
   */
  baselines: baselinesSchema.optional(),
  /** What is computed with and kept: `mixed` is faster than fp32 and learns like it, `bf16` takes half its memory. */
  precision: z.enum(["fp32", "mixed", "bf16"]).default("fp32"),
  /** Recomputes each layer's activations where its gradient is computed, in place of keeping them: less memory, a third more time. */
  gradientCheckpointing: z.boolean().default(false),
  /** Trains low-rank adapters in place of all weights: a hundredth of the memory for gradients and moments. */
  lora: z
    .strictObject({
      rank: z.number().int().min(1).max(512),
      alpha: z.number().positive().optional(),
      modules: z.array(z.enum(loraModules)).min(1).optional(),
    })
    .optional(),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 48 - 1)
    .default(0),
});
/** What a run is: one value, every stage visible in it. `task` alone is a valid run. */
export type RunConfig = Readonly<z.input<typeof configSchema>>;

const mark = Symbol.for("whetstone.run-definition");

/**
 * Reads a run's configuration: fills in defaults, and refuses a wrong or unknown option by naming the nearest right one.
 * Throws a user error `invalid-option`, or what a source says of a task that it cannot serve.
 *
 * @example
 * defineRun({ model: tiny({ tokenizer: characters("0123456789=") }), task: reverse(), budget: { rounds: 4 } });
 */
export function defineRun(config: RunConfig): RunDefinition {
  const read = readOptions("defineRun()", configSchema, config);
  const { name, guard, acquire, select, optimize, refine, engine, model, prepare, ...others } = read;
  const { refusals, lora, baselines, ...rest } = others;
  if (prepare !== undefined && prepare.on === undefined)
    throw userError(
      "invalid-option",
      'defineRun(): "prepare" needs its data: supervised({ on: demonstrations(), … }).',
    );
  if (read.oversight.whileWaiting === "next-round" && !read.oversight.ask.includes("promotion"))
    throw userError(
      "invalid-option",
      'defineRun(): "oversight.whileWaiting" says what goes on while a promotion waits for a person, and nobody is asked: add "promotion" to "oversight.ask", or leave "whileWaiting" out.',
    );
  for (const source of acquire ?? []) source.check?.(read.task);
  const definition: RunDefinition = {
    ...rest,
    name: name ?? read.task.name,
    model: typeof model === "string" ? modelCalled(model) : (model ?? tiny()),
    engine: engine ?? local(),
    prepare: prepare ?? null,
    acquire: acquire ?? [demonstrations(), read.task.difficulty.ordered === false ? prompts() : procedural()],
    select: select ?? [deduplicate()],
    optimize: optimize ?? rejectionSampling(),
    refine: refine ?? greedyDecoding(),
    guard: guard ?? [...defaults(), ...(refusals === undefined ? [] : [refusalLoss()])],
    ...(refusals === undefined ? {} : { refusals }),
    ...(lora === undefined ? {} : { lora: withoutUndefined(lora) }),
    ...(baselines === undefined ? {} : { baselines }),
  };
  for (const { method } of turnsOf(definition.optimize, Math.max(1, definition.budget.rounds))) {
    checkMethod(method);
    checkBuffers(method);
    checkFollowed(method);
  }
  checkBudget(definition);
  checkAsked(definition);
  checkDemonstrations(definition);
  checkParts(definition);
  Object.defineProperty(definition, mark, { value: true });
  return definition;
}

/** Refuses a harness that asks a role which is not delivered with the one that answers. */
function checkAsked({ refine, optimize, budget }: RunDefinition): void {
  const { name, asks = [] } = refine;
  for (const { method } of turnsOf(optimize, Math.max(1, budget.rounds))) {
    const missing = asks.find((role) => !method.deliver.includes(role));
    if (missing !== undefined)
      throw userError(
        "invalid-option",
        `defineRun(): ${name} asks the role ${missing}, and ${method.name} delivers ${method.deliver.join(", ")} alone; take a method that delivers it, such as vStar(), or another harness.`,
      );
  }
}

/** Refuses a method that learns from demonstrations where no source brings any. */
function checkDemonstrations({ acquire, optimize, budget }: RunDefinition): void {
  if (acquire.some(({ mostDemonstrations = 0 }) => mostDemonstrations > 0)) return;
  for (const { method } of turnsOf(optimize, Math.max(1, budget.rounds)))
    if (method.passes.some(({ needsDemonstrations }) => needsDemonstrations))
      throw userError(
        "no-demonstrations",
        `defineRun(): ${method.name} learns from what is demonstrated, and no source brings demonstrations: add demonstrations() to "acquire", or leave "acquire" out.`,
      );
}

type Lora = NonNullable<RunDefinition["lora"]>;

function withoutUndefined({ rank, alpha, modules }: z.output<typeof configSchema>["lora"] & object): Lora {
  return {
    rank,
    ...(alpha === undefined ? {} : { alpha }),
    ...(modules === undefined ? {} : { modules }),
  };
}

/** Recognises what {@link defineRun} returns. */
export function isRunDefinition(value: unknown): value is RunDefinition {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[mark] === true;
}
