import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { showableAt } from "../../foundation/statistics/index.ts";
import type { EngineProgress } from "../../model/engine/index.ts";
import { runCanaries } from "../../world/task/index.ts";
import { blockParts, decisionItemsOf, planBlocks, reusedFact } from "../round/decide/block-parts.ts";
import { checkProbes, planProbes } from "../round/decide/probe-parts.ts";
import type { RunDefinition } from "../round/definition.ts";
import { refuseOtherAdapters } from "./adapters.ts";
import { abortSignal, checkDefinition, functionOf, projectFolder } from "./arguments.ts";
import { baselinesOf } from "./baselines.ts";
import { keptBackOf, refuseTooSmall } from "./budget/kept-back.ts";
import { type BudgetChange, budgetChangeSchema, withBudget } from "./budget.ts";
import { checkParts } from "./check-parts.ts";
import { refuseLacking } from "./engine-needs.ts";
import { lendVerifier } from "./lend-verifier.ts";
import { checkListedItems, needsOf } from "./listed-items.ts";
import { parametersOf, refuseTooLarge } from "./memory.ts";
import { countDisk, freeDisk } from "./plan/disk.ts";
import { planLines } from "./plan/lines.ts";
import type { Plan, PlannedStage } from "./plan/planned.ts";
import { speedOf } from "./plan/speed.ts";
import { tokensOf, tokensOfFirstRound, tokensOfRounds } from "./plan/tokens.ts";
import { countWork, type Work } from "./plan/work.ts";

export type { Plan, PlannedStage } from "./plan/planned.ts";

/** Resident memory of a worker that holds nothing, and of this side; */
const workerBytes = 4.5e8;
const brainBytes = 2e8;

export interface PlanOptions {
  /** Parts of the definition's budget that are others, as in {@link run}. */
  readonly budget?: BudgetChange;
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** Hears how far a model is that has to be brought here first: without it there is nothing to count. */
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  budget: budgetChangeSchema,
  onProgress: functionOf<EngineProgress>(),
  signal: abortSignal,
});

/**
 * What a run would do, before it does it: stages, time, memory, and the smallest gain that its budget can show. Starts
 * nothing, and brings no more here than a model that is named and not here yet. Throws the run's own user errors for what can be known now.
 *
 * @example
 * const { lines } = await plan(defineRun({ task: reverse() }), { folder: await mkdtemp(join(tmpdir(), "plan-")) });
 */
export async function plan(described: RunDefinition, options: PlanOptions = {}): Promise<Plan> {
  checkDefinition("plan()", described);
  const { folder, onProgress, signal, budget: change } = readOptions("plan()", optionsSchema, options);
  const definition = withBudget(described, change ?? {});
  const { task, model, optimize, gate, budget } = definition;
  refuseLacking(definition);
  await using _verifier = lendVerifier(task, folder);
  const canaries = await runCanaries(task);
  const observes = gate.mode === "observe";
  if (!observes) blockParts(task, gate);
  checkProbes(task, gate);
  const before = { reusedBefore: reusedBefore(folder, task) };
  const blocks = planBlocks(task, gate, before);
  const { probes, thin } = planProbes(task, gate, before);
  const parts = "parts" in blocks ? blocks.parts : [];
  const prepared = await model.prepare(join(ledgerFolder(folder), "models"), {
    ...needsOf(task, folder),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  checkParts(definition, prepared.tokenizer);
  checkListedItems(task, prepared);
  refuseOtherAdapters(definition, prepared);
  await refuseTooLarge(definition, prepared);
  const { tokenizer, fromScratch } = prepared;
  const parameters = await parametersOf(prepared);
  const speed = speedOf(folder, definition, parameters);
  const disk = countDisk(definition, fromScratch, parameters);
  const cores = availableParallelism();
  const timed = ({ lanes, ...work }: Work): PlannedStage => ({
    ...work,
    seconds:
      (work.tokensTrained / speed.trained + work.tokensSampled / speed.sampled) / Math.min(cores, lanes),
  });
  const counted = countWork({
    definition,
    tokenizer,
    fromScratch,
    pairs:
      ("pairs" in blocks ? blocks.pairs : 0) +
      probes.reduce((sum, { exact, pairs: most }) => sum + (exact ? 0 : most), 0),
  });
  const preparation = counted.preparation.map(timed);
  const round = counted.round.map(timed);
  const end = counted.end.map(timed);
  const tokensBefore = tokensOf(preparation);
  const capped = { ...definition, budget: { ...budget, tokens: budget.tokens ?? Number.POSITIVE_INFINITY } };
  const keptBack = keptBackOf(capped, tokenizer);
  // Prices are known once an engine is open.
  refuseTooSmall(definition, keptBack, undefined);
  const tokensOfFirst = budget.rounds === 0 ? 0 : tokensOfFirstRound(round);
  const seconds = secondsOf(preparation) + secondsOfRounds(round, budget.rounds) + secondsOf(end);
  const opened = openingsBefore(folder, task);
  const reused = "reused" in blocks && blocks.reused;
  const pairs = "pairs" in blocks ? blocks.pairs : 0;
  const openings = reused ? Math.min(gate.reusedOpenings - opened, budget.rounds) : budget.rounds;
  const showable = (opening: number): number | null =>
    opening > openings && reused
      ? null
      : showableAt({ pairs, opening: opened + opening, alpha: gate.alpha, reused });
  const policies = optimize.roles.length;
  const inGate = new Set(parts.flatMap(({ strata }) => strata.map(({ name }) => name)));
  const planned: Omit<Plan, "lines"> = {
    name: definition.name,
    rounds: budget.rounds,
    budget,
    tokens: tokensBefore + tokensOfRounds(round, budget.rounds) + tokensOf(end),
    tokensBefore,
    tokensKeptBack: keptBack.tokensSampled,
    leastTokens: tokensBefore + tokensOfFirst + keptBack.tokensSampled,
    parameters,
    policies,
    preparation,
    round,
    end,
    seconds,
    secondsBetween: [seconds / speed.within, seconds * speed.within],
    speed: speed.source,
    memoryBytes: brainBytes + cores * workerBytes + 24 * parameters * policies,
    diskBytes: disk.bytes,
    diskBytesEachRound: disk.bytesEachRound,
    diskFreeBytes: await freeDisk(folder),
    smallestGain: observes ? null : { first: showable(1), last: showable(Math.max(1, openings)) },
    gate: {
      strata: [...inGate],
      pairs,
      openings: Math.max(0, openings),
      reused,
      probes: probes.map(({ stratum, exact, pairs: most, needed }) => ({
        stratum: stratum.name,
        exact,
        pairs: most,
        needed,
      })),
      thinProbes: thin.map(({ stratum }) => stratum),
      measuredOnly: task.strata.flatMap(({ name, weight }) =>
        weight > 0 && !inGate.has(name) ? [name] : [],
      ),
    },
    baselines: baselinesOf(definition),
    canaries,
  };
  return { ...planned, lines: planLines(planned) };
}

function secondsOf(stages: readonly PlannedStage[]): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Each round takes what every round has, and what only some have as often as they have it. */
function secondsOfRounds(stages: readonly PlannedStage[], count: number): number {
  const everyRound = stages.filter(({ rounds }) => rounds === undefined);
  return stages.reduce(
    (sum, { rounds, seconds }) => sum + (rounds === undefined ? 0 : (rounds[1] - rounds[0] + 1) * seconds),
    count * secondsOf(everyRound),
  );
}

function reusedBefore(folder: string, task: Task): boolean {
  using ledger = readLedger({ folder });
  return ledger?.getFact(reusedFact(decisionItemsOf(task))) === true;
}

/** Openings that earlier rounds in this folder have made on the same decision items: the next one counts on from them. */
function openingsBefore(folder: string, task: Task): number {
  using ledger = readLedger({ folder });
  return ledger?.openings(decisionItemsOf(task)) ?? 0;
}
