import { join } from "node:path";
import {
  type Clock,
  hashOf,
  isWhetstoneError,
  type Json,
  systemClock,
  userError,
} from "../foundation/base/index.ts";
import type { Cost, Engine, Gain, StoredEvent, Watcher } from "../foundation/contract/index.ts";
import { type Ledger, openLedger, type RunLedger } from "../foundation/ledger/index.ts";
import { runCanaries } from "../world/task/index.ts";
import { type RoundContext, tell } from "./round/context.ts";
import { auditStage, evaluateStage } from "./round/judge.ts";
import { EnginePolicies } from "./round/policies.ts";
import { prepareStage } from "./round/prepare.ts";
import { SamplerShelf } from "./round/sampler-shelf.ts";
import { type Lineage, lineageSchema, type RunState } from "./round/state.ts";
import { playRound } from "./round.ts";
import { configHash, describeRun, protocolHash, type RunDefinition } from "./run/config.ts";

export {
  configHash,
  defineRun,
  describeRun,
  isRunDefinition,
  type RunConfig,
  type RunDefinition,
} from "./run/config.ts";
export { type Plan, plan } from "./run/plan.ts";

export interface RunOptions {
  /** The project folder; everything lies in its `.whetstone`. */
  readonly folder: string;
  /** Sees every event as it is stored, and progress. */
  readonly watch?: Watcher;
  /** Ends the run at the next safe point; running it again goes on from there. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

export interface RunResult {
  readonly run: string;
  readonly outcome: "rounds-spent" | "stopped-by-guard" | "interrupted";
  readonly reason: string;
  /** Folder of the champion's weights, which any tool that reads Hugging Face folders can load; null before round 0 ends. */
  readonly champion: string | null;
  readonly championRound: number | null;
  /** On audit items, champion against base. */
  readonly gain: Gain | null;
  /** All of the run, in order. */
  readonly events: readonly StoredEvent[];
  /** True when the run was finished before and nothing was done. */
  readonly alreadyFinished: boolean;
}

/**
 * Runs a definition in a folder, or goes on with it: what was finished is never done again. An edited definition starts a
 * new run from the folder's champion. Throws user errors before anything starts (`folder-in-use`, `verifier-wrong`, …),
 * and engine errors that leave the ledger whole.
 *
 * @example
 * const result = await run(defineRun({ model: "./my-model", task: reverse() }), { folder: "." });
 */
export async function run(definition: RunDefinition, options: RunOptions): Promise<RunResult> {
  const { folder, watch = () => {}, signal, clock = systemClock } = options;
  runCanaries(definition.task);
  await using ledger = await openLedger({ folder, clock });
  const { record, origin } = adopt(definition, ledger);
  const finished = finishedEvent(record, definition.budget.rounds);
  if (finished !== undefined) return { ...resultOf(ledger, record), alreadyFinished: true };

  const prepared = await definition.model.prepare(
    join(folder, ".whetstone", "models", hashOf(modelKey(definition)).slice(0, 12)),
  );
  const begun = clock.monotonic();
  await using engine = await definition.engine.open({
    logFolder: join(folder, ".whetstone", "logs"),
    onProgress: (label, done, total) => watch({ type: "progress", stage: "set-up", label, done, total }),
    ...(signal ? { signal } : {}),
  });
  const capabilities = await engine.capabilities();
  await using policies = new EnginePolicies({
    engine,
    tokenizer: prepared.tokenizer,
    precision: definition.precision,
    pathOf: (checkpoint) => ledger.checkpointPath(checkpoint),
  });
  await using samplers = new SamplerShelf({
    load: (checkpoint) => policies.sampler(checkpoint),
    tokenizer: prepared.tokenizer,
  });
  const context: RoundContext = {
    definition,
    ledger,
    run: record,
    engine,
    capabilities,
    tokenizer: prepared.tokenizer,
    policies,
    samplers,
    clock,
    watch,
    cost: costOf(record, engine, clock),
    safePoint: () => {
      if (signal?.aborted)
        throw userError("interrupted", "The run was asked to end. Run the same command to go on.");
    },
  };
  announce(context, (clock.monotonic() - begun) / 1000, origin);
  try {
    await play(context, prepared, origin);
  } catch (error) {
    const reason = isWhetstoneError(error) ? error.message : String(error);
    const round = lastRound(record);
    tell(context, `interrupted/${record.events().length}`, { type: "run-interrupted", round, reason });
    if (isWhetstoneError(error) && error.code === "interrupted")
      return { ...resultOf(ledger, record), outcome: "interrupted", reason };
    throw error;
  }
  return resultOf(ledger, record);
}

/** Rounds until the budget is spent or a guard stops; then the claim, on audit items. */
async function play(
  context: RoundContext,
  prepared: { readonly path: string; readonly fromScratch: boolean },
  origin: Lineage | null,
): Promise<void> {
  const { definition, ledger, run: record } = context;
  const base = origin ?? (await prepareStage(context, prepared.path, prepared.fromScratch));
  const validation = await evaluateStage(context, 0, base, null);
  tell(context, "round-0/cost", { type: "cost-metered", round: 0, cost: context.cost() });
  let state: RunState = {
    round: 0,
    base,
    champion: base,
    championValidation: validation,
    last: base,
    candidate: null,
    rejections: 0,
    frontier: validation.frontier90,
    stopped: null,
  };
  while (state.round < definition.budget.rounds && state.stopped === null) {
    state = await playRound(context, state);
    ledger.setFact("champion", {
      model: hashOf(modelKey(definition)),
      lineage: state.champion,
      run: record.id,
    } as Json);
  }
  if (state.champion !== state.base)
    await auditStage(context, state.round, "base", state.base, state.champion);
  tell(context, `cost/${state.round}`, { type: "cost-metered", round: state.round, cost: context.cost() });
  tell(context, `finished/${state.round}`, {
    type: "run-finished",
    outcome: state.stopped === null ? "rounds-spent" : "stopped-by-guard",
    reason: state.stopped ?? `${definition.budget.rounds} rounds`,
    champion: state.champion.checkpoints[definition.optimize.lead] ?? "",
    championRound: state.champion.round,
  });
}

/** The run that this definition is: the folder's last one when nothing but its budget changed, or a new one. */
function adopt(definition: RunDefinition, ledger: Ledger): { record: RunLedger; origin: Lineage | null } {
  const hash = configHash(definition);
  const last = ledger.runs().at(-1);
  if (last?.configHash === hash) {
    const record = ledger.openRun(last.id);
    return { record, origin: lineageSchema.nullable().parse(last.origin) };
  }
  const champion = ledger.getFact("champion") as { model?: string; lineage?: unknown } | undefined;
  const origin =
    champion !== undefined && champion.model === hashOf(modelKey(definition))
      ? { ...lineageSchema.parse(champion.lineage), round: 0 }
      : null;
  const record = ledger.startRun({
    name: definition.name,
    configHash: hash,
    description: describeRun(definition),
    seed: definition.seed,
    origin,
  });
  return { record, origin };
}

/** Two definitions with one key can train the same weights. */
function modelKey({ model, optimize, task }: RunDefinition): Json {
  return { model: { name: model.name, ...model.description }, roles: [...optimize.roles], task: task.name };
}

function announce(context: RoundContext, seconds: number, origin: Lineage | null): void {
  const { definition, run: record, capabilities } = context;
  const description = describeRun(definition);
  const { task, budget, seed, gate, name } = definition;
  const fresh = record.events().length === 0;
  tell(context, "started", {
    type: "run-started",
    run: record.id,
    name,
    configHash: configHash(definition),
    protocolHash: protocolHash(definition),
    seed,
    rounds: budget.rounds,
    task: description.task as Record<string, unknown>,
    model: {
      ...(description.model as Record<string, unknown>),
      ...(origin === null ? {} : { from: "the folder's champion" }),
    },
    method: description.optimize as Record<string, unknown>,
    observe: gate.mode === "observe",
    unit: task.difficulty.unit,
    base: [...task.difficulty.base],
    growTo: task.difficulty.growTo,
    measureTo: task.difficulty.measureTo,
    version: "0.1.0",
  });
  if (!fresh)
    tell(context, `resumed/${record.events().length}`, {
      type: "run-resumed",
      run: record.id,
      round: lastRound(record),
      processId: process.pid,
    });
  tell(context, `engine/${record.events().length}`, {
    type: "engine-started",
    engine: capabilities.engine,
    device: capabilities.device,
    workers: capabilities.workers,
    seconds,
  });
}

function lastRound(record: RunLedger): number {
  return record
    .events()
    .reduce((last, { event }) => ("round" in event ? Math.max(last, event.round) : last), 0);
}

/** The engine's cost since it was opened, on top of what earlier processes recorded. */
function costOf(record: RunLedger, engine: Engine, clock: Clock): () => Cost {
  const zero: Cost = {
    tokensSampled: 0,
    tokensTrained: 0,
    optimizerSteps: 0,
    busySeconds: 0,
    availableSeconds: 0,
    wallSeconds: 0,
  };
  const before = record
    .events()
    .reduce((cost, { event }) => (event.type === "cost-metered" ? event.cost : cost), zero);
  const begun = clock.monotonic();
  return () => {
    const now = engine.cost();
    return {
      tokensSampled: before.tokensSampled + now.tokensSampled,
      tokensTrained: before.tokensTrained + now.tokensTrained,
      optimizerSteps: before.optimizerSteps + now.optimizerSteps,
      busySeconds: before.busySeconds + now.busySeconds,
      availableSeconds: before.availableSeconds + now.availableSeconds,
      wallSeconds: before.wallSeconds + (clock.monotonic() - begun) / 1000,
    };
  };
}

function finishedEvent(record: RunLedger, rounds: number): StoredEvent | undefined {
  return record
    .events()
    .find(
      ({ event }, _, all) =>
        event.type === "run-finished" && (event.outcome === "stopped-by-guard" || lastRoundOf(all) >= rounds),
    );
}

function lastRoundOf(events: readonly StoredEvent[]): number {
  return events.reduce(
    (last, { event }) => (event.type === "round-finished" ? Math.max(last, event.round) : last),
    0,
  );
}

function resultOf(ledger: Ledger, record: RunLedger): RunResult {
  const events = record.events();
  let finished: Extract<StoredEvent["event"], { type: "run-finished" }> | undefined;
  let gain: Gain | null = null;
  for (const { event } of events) {
    if (event.type === "run-finished") finished = event;
    if (event.type === "audit-measured" && event.comparison === "base") gain = event.gain;
  }
  return {
    run: record.id,
    outcome: finished?.outcome ?? "interrupted",
    reason: finished?.reason ?? "interrupted",
    champion: finished === undefined ? null : ledger.checkpointPath(finished.champion),
    championRound: finished?.championRound ?? null,
    gain,
    events,
    alreadyFinished: false,
  };
}
