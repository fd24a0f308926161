import { join } from "node:path";
import { z } from "zod";
import {
  type Clock,
  isWhetstoneError,
  messageOf,
  readOptions,
  systemClock,
  userError,
  valueWith,
  type WhetstoneError,
} from "../foundation/base/index.ts";
import type { Budget, StoredEvent, Watcher } from "../foundation/contract/index.ts";
import {
  type Ledger,
  ledgerFolder,
  openLedger,
  openProgressFile,
  type ProgressFile,
  type RunLedger,
} from "../foundation/ledger/index.ts";
import type { EngineProgress } from "../model/engine/index.ts";
import { RecoveringEngine } from "../model/engine/recovery/index.ts";
import { runCanaries } from "../world/task/index.ts";
import { type OversightContext, type QuestionListener, type RoundContext, tell } from "./round/context.ts";
import { blockParts } from "./round/decide/block-parts.ts";
import { checkProbes } from "./round/decide/probe-parts.ts";
import type { RunDefinition } from "./round/definition.ts";
import { digestFact } from "./round/folder-digest.ts";
import { EnginePolicies, keepsMoments, type PolicyStoreOptions } from "./round/policies.ts";
import { SamplerShelf } from "./round/sampler-shelf.ts";
import type { Lineage } from "./round/state.ts";
import { refuseOtherAdapters } from "./run/adapters.ts";
import { adoptRun } from "./run/adopt.ts";
import { announce } from "./run/announce.ts";
import { abortSignal, checkDefinition, functionOf, projectFolder } from "./run/arguments.ts";
import { baselinesAwaited } from "./run/baselines.ts";
import { askForMore } from "./run/budget/ask-for-more.ts";
import { refuseOtherCurrency } from "./run/budget/currency.ts";
import { keptBackByCap, keptBackOf, refuseTooSmall } from "./run/budget/kept-back.ts";
import { spentCap, spentWords, stillSpent, stopAt } from "./run/budget/spending.ts";
import { type BudgetChange, budgetChangeSchema, withBudget } from "./run/budget.ts";
import { checkParts } from "./run/check-parts.ts";
import { costMeter } from "./run/cost.ts";
import { refuseLacking } from "./run/engine-needs.ts";
import { keepCost } from "./run/keep-cost.ts";
import { lendVerifier } from "./run/lend-verifier.ts";
import { checkListedItems, checkRefusals, needsOf } from "./run/listed-items.ts";
import { refuseTooLarge } from "./run/memory.ts";
import { askOfSources } from "./run/new-sources.ts";
import { play } from "./run/play.ts";
import { isFinished, lastRound, type RunResult, resultOf } from "./run/result.ts";
import { takeAnswers } from "./run/take-answers.ts";
import { keepFiles } from "./run/task-files.ts";
import { tellRecovery } from "./run/tell-recovery.ts";
import { refuseMissing } from "./run/upkeep/missing.ts";

export { isOpen, type Question } from "./oversight/index.ts";
export type { RunDefinition } from "./round/definition.ts";
export { type Answered, type AnswerOptions, answerQuestion, openQuestions } from "./run/answer-question.ts";
export { type Audit, type AuditOptions, auditRun } from "./run/audit-run.ts";
export type { BudgetChange } from "./run/budget.ts";
export { type Chat, type ChatAnswer, type ChatOptions, type ChatPartner, openChat } from "./run/chat.ts";
export { type Contender, readContender } from "./run/compare/contender.ts";
export { readHarness } from "./run/compare/harness-words.ts";
export {
  type CompareOptions,
  type Comparison,
  type ContenderScore,
  compareWeights,
} from "./run/compare.ts";
export { defineRun, isRunDefinition, type RunConfig } from "./run/config.ts";
export { type Exported, type ExportOptions, exportModel } from "./run/export.ts";
export { noRun, type RecordedRun, readRun } from "./run/find-run.ts";
export { type Followed, type FollowOptions, followRun } from "./run/follow.ts";
export { type Marginal, marginalOf } from "./run/marginal.ts";
export {
  type MetricRow,
  type MetricsOptions,
  metricColumns,
  metricsCsv,
  metricsJsonl,
  readMetrics,
} from "./run/metrics.ts";
export {
  isParametrisedRun,
  type ParameterKinds,
  type ParameterValues,
  type ParametrisedRun,
  withParameters,
} from "./run/parameters.ts";
export { type Plan, type PlannedStage, type PlanOptions, plan } from "./run/plan.ts";
export type { RunResult } from "./run/result.ts";
export { type Rollback, type RollbackOptions, rollback } from "./run/rollback.ts";
export {
  type SeededRun,
  type SeedSpread,
  type SeedSpreadOptions,
  type Spread,
  seedSpread,
} from "./run/seed-spread.ts";
export type { DataFile } from "./run/task-files.ts";
export type { TracedWeights } from "./run/trace/trace-schema.ts";
export { type Trace, type TraceOptions, trace } from "./run/trace.ts";
export {
  type Collected,
  type CollectOptions,
  collectGarbage,
  type Garbage,
  type Stray,
} from "./run/upkeep/collect.ts";
export {
  type Verification,
  type VerifiedRun,
  type VerifyFinding,
  type VerifyOptions,
  verifyFolder,
} from "./run/upkeep/verify.ts";
export { readWhich, type SavedWeights, type WhichWeights } from "./run/weights.ts";

export interface RunOptions {
  /** The project folder; everything lies in its `.whetstone`. The current folder if left out. */
  readonly folder?: string;
  /** Sees every event as it is stored, and progress. */
  readonly watch?: Watcher;
  /** Sees what was stored before, when a run goes on. */
  readonly onResume?: (events: readonly StoredEvent[]) => void;
  /**
   * Ends the run: what was finished is kept, and what is under way is given up, except that a checkpoint is written to its
   * end. Running it again goes on from the last finished step.
   */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** False keeps no record of what each example came from, for measuring what that costs: `trace` then knows nothing of it. */
  readonly lineage?: boolean;
  /** Parts of the definition's budget that are others now: a raised one goes on with a run that was finished. */
  readonly budget?: BudgetChange;
  /**
   * Hears each question of `oversight` that the run waits for, or goes on beside (`goesOn`); {@link answerQuestion} answers.
   */
  readonly onQuestion?: QuestionListener;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  watch: functionOf<Watcher>(),
  onResume: functionOf<NonNullable<RunOptions["onResume"]>>(),
  onQuestion: functionOf<NonNullable<RunOptions["onQuestion"]>>(),
  budget: budgetChangeSchema,
  signal: abortSignal,
  clock: valueWith<Clock>("monotonic", "expected a clock").optional(),
  lineage: z.boolean().default(true),
});

/**
 * Runs a definition in a folder, or goes on with it: what was finished is never done again. An edited definition starts a
 * new run from the champion of its name. Throws user errors before anything starts (`folder-in-use`, `verifier-wrong`,
 * `gate-cannot-open`, `prompt-too-long`, …), and engine or environment errors that leave the ledger whole.
 *
 * @example
 * const definition = defineRun({ task: reverse({ lengths: [1, 3], growTo: 6 }), engine: tabular(), budget: { rounds: 1 } });
 * const result = await run(definition, { folder: await mkdtemp(join(tmpdir(), "run-")) });
 * result.outcome; // "rounds-spent"
 */
export async function run(definition: RunDefinition, options: RunOptions = {}): Promise<RunResult> {
  checkDefinition("run()", definition);
  const read = readOptions("run()", optionsSchema, options);
  const { folder, watch = () => {}, onResume, onQuestion, signal, clock = systemClock, lineage } = read;
  const wanted = withBudget(definition, read.budget ?? {});
  await using _verifier = lendVerifier(wanted.task, folder);
  await runCanaries(wanted.task);
  if (wanted.gate.mode === "decide") blockParts(wanted.task, wanted.gate);
  checkProbes(wanted.task, wanted.gate);
  using ledger = openLedger({ folder, clock });
  using outside = openProgressFile({ folder, clock });
  takeAnswers(ledger);
  const line = ledger.runs().filter(({ name }) => name === wanted.name);
  const last = line.at(-1);
  let record = last === undefined ? undefined : ledger.openRun(last);
  const watching = sharing(outside, watch, record?.events().at(-1)?.id ?? 0);
  const oversight = onQuestion === undefined ? {} : { onQuestion };
  const asking = { ledger, watch: watching, oversight, ...(signal ? { signal } : {}) };
  const result = (): RunResult =>
    resultOf(record?.id ?? "", record?.events() ?? [], (name) => ledger.checkpointPath(name));
  /** What there is, where nothing is left to do; why, in the terms of the budget that is asked about. */
  const done = (budget: Budget): RunResult => {
    const known = result();
    const spent = known.outcome === "budget-spent" ? stillSpent(known.events, budget) : undefined;
    const why = spent === undefined ? {} : { reason: spentWords(spent) };
    return { ...known, ...why, alreadyFinished: true };
  };
  const finished = (budget: Budget): boolean => {
    const events = record?.events() ?? [];
    return isFinished(events, budget) && !baselinesAwaited(events, wanted, lastRound(events));
  };
  try {
    if (record !== undefined) await askOfSources({ ...asking, run: record }, wanted, line);
    const adopted = adoptRun(wanted, ledger);
    record = adopted.record;
    if (finished(wanted.budget)) return done(wanted.budget);
    refuseMissing(ledger, folder, record.id);
    if (record.events().length > 0) onResume?.(record.events());
    const allowed = await askForMore({ ...asking, run: record }, wanted, {
      given: read.budget !== undefined,
    });
    if (finished(allowed.budget)) return done(allowed.budget);
    await goOn({ ...asking, ...adopted, definition: allowed, folder, clock, signal, lineage });
    return result();
  } catch (error) {
    const asked = signal?.aborted && (error === signal.reason || isInterruption(error));
    if (!asked) throw error;
    return { ...result(), outcome: "interrupted", reason: interruption().message };
  }
}

/** Lets those who watch from other processes see progress too. */
function sharing(outside: ProgressFile, watch: Watcher, newest: number): Watcher {
  let after = newest;
  return (event) => {
    if ("event" in event) after = event.id;
    else outside.write({ after, progress: event });
    watch(event);
  };
}

interface Attempt {
  readonly definition: RunDefinition;
  readonly folder: string;
  readonly ledger: Ledger;
  readonly record: RunLedger;
  readonly origin: Lineage | null;
  readonly clock: Clock;
  readonly watch: Watcher;
  readonly oversight: OversightContext;
  readonly signal: AbortSignal | undefined;
  readonly lineage: boolean;
}

/** Opens the engine and plays what is left of the run. */
async function goOn(attempt: Attempt): Promise<void> {
  const { definition, folder, ledger, record, origin, clock, watch, oversight, signal, lineage } = attempt;
  const { task, model } = definition;
  refuseLacking(definition);
  const setUp: EngineProgress = (label, done, total) =>
    watch({ type: "progress", stage: "set-up", label, done, total });
  const prepared = await model.prepare(join(ledgerFolder(folder), "models"), {
    ...needsOf(task, folder),
    onProgress: setUp,
    ...(signal ? { signal } : {}),
  });
  checkParts(definition, prepared.tokenizer);
  // What was begun was checked.
  if (record.events().length === 0) {
    checkListedItems(task, prepared);
    if (definition.refusals !== undefined) checkRefusals(definition.refusals, prepared);
  }
  refuseOtherAdapters(definition, prepared);
  await refuseTooLarge(definition, prepared);
  keepFiles(ledger, record.id, folder, task);
  const began = clock.monotonic();
  const opened = await definition.engine.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    onProgress: setUp,
    ...(signal ? { signal } : {}),
  });
  await using engine = new RecoveringEngine(opened, {
    clock,
    nameOf: (path) => ledger.checkpointName(path),
    onRecovery: (recovery) => tellRecovery(context, recovery),
  });
  const capabilities = await engine.capabilities();
  refuseLacking(definition, capabilities);
  const { prices } = capabilities;
  refuseOtherCurrency(record.events(), prices);
  const { tokenizer } = prepared;
  const keptBack = keptBackOf(definition, tokenizer);
  refuseTooSmall(definition, keptBack, prices);
  const pathOf = (checkpoint: string): string => ledger.checkpointPath(checkpoint);
  await using policies = new EnginePolicies({
    engine,
    tokenizer,
    precision: definition.precision,
    gradientCheckpointing: definition.gradientCheckpointing,
    ...(definition.lora === undefined ? {} : { lora: { ...definition.lora, seed: definition.seed } }),
    pathOf,
    keepMoments: keepsMoments(definition),
    digests: digestsOf(ledger),
    ...(signal ? { signal } : {}),
  });
  await using samplers = new SamplerShelf({ load: (checkpoint) => policies.sampler(checkpoint), tokenizer });
  const meter = costMeter({ ledger, record, engine, clock, prices });
  using _keeping = keepCost(meter);
  const context: RoundContext = {
    definition,
    ledger,
    run: record,
    engine,
    capabilities,
    tokenizer,
    policies,
    samplers,
    clock,
    watch,
    lineage,
    cost: meter.read,
    sealCost: meter.seal,
    safePoint: () => {
      meter.keep();
      if (signal?.aborted) throw interruption();
    },
    withinBudget: (stage) => {
      // What audits may take was kept back for them, and a reused opening is charged as a whole.
      if (stage === "audit" || meter.sealed) return;
      const spent = spentCap(
        definition.budget,
        meter.read(),
        keptBackByCap(record.events(), keptBack, prices),
      );
      if (spent !== null) throw stopAt(spent);
    },
    oversight: { ...oversight, pauseCost: meter.pause },
    ...(signal ? { signal } : {}),
  };
  announce(context, { setUpSeconds: (clock.monotonic() - began) / 1000, origin });
  try {
    await play(context, prepared, origin, meter.aside);
  } catch (error) {
    const why = signal?.aborted && error === signal.reason ? interruption() : error;
    recordInterruption(context, why);
    throw why;
  }
}

/** Of checkpoints, kept beside the runs that saved them. */
function digestsOf(ledger: Ledger): PolicyStoreOptions["digests"] {
  return {
    get: (checkpoint) => {
      const digest = ledger.getFact(digestFact(checkpoint));
      return typeof digest === "string" ? digest : undefined;
    },
    set: (checkpoint, digest) => ledger.setFact(digestFact(checkpoint), digest),
    delete: (checkpoint) => ledger.deleteFact(digestFact(checkpoint)),
  };
}

/** Stores why a run ended early, if the ledger can still be written. */
function recordInterruption(context: RoundContext, error: unknown): void {
  const events = context.run.events();
  const round = lastRound(events);
  const place = events.length;
  try {
    tell(context, `cost/${place}`, { type: "cost-metered", round, cost: context.cost() });
    tell(context, `interrupted/${place}`, { type: "run-interrupted", round, reason: messageOf(error) });
  } catch {
    // A full disk is one of the reasons why runs end; the error itself is what people need to see.
  }
}

function interruption(): WhetstoneError {
  return userError("interrupted", "The run was asked to end. Run the same command to go on.");
}

function isInterruption(error: unknown): boolean {
  return isWhetstoneError(error) && error.code === "interrupted";
}
