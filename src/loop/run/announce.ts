import { type RoundContext, tell } from "../round/context.ts";
import type { Lineage } from "../round/state.ts";
import { baselinesOf } from "./baselines.ts";
import { configHash, describeRun, protocolHash } from "./describe.ts";
import { lastRound } from "./result.ts";
import { packageVersion } from "./version.ts";

/** The first words of a run, or of another attempt at it. */
export function announce(
  context: RoundContext,
  { setUpSeconds, origin }: { readonly setUpSeconds: number; readonly origin: Lineage | null },
): void {
  const { definition, run: record, capabilities } = context;
  const { task, budget, seed, gate, oversight } = definition;
  const events = record.events();
  const attempt = events.length;
  const limits = { budget, ...(oversight.ask.length === 0 ? {} : { ask: [...oversight.ask] }) };
  const { model, optimize, task: described } = describeRun(definition);
  tell(context, "started", {
    type: "run-started",
    run: record.id,
    name: definition.name,
    configHash: configHash(definition),
    protocolHash: protocolHash(definition),
    seed,
    rounds: budget.rounds,
    ...limits,
    task: described as Record<string, unknown>,
    model: { ...(model as object), ...(origin === null ? {} : { from: "the champion of an earlier run" }) },
    method: optimize as Record<string, unknown>,
    observe: gate.mode === "observe",
    unit: task.difficulty.unit,
    base: [...task.difficulty.base],
    growTo: task.difficulty.growTo,
    measureTo: task.difficulty.measureTo,
    ...(task.difficulty.ordered === false ? { kinds: task.strata.map(({ name }) => name) } : {}),
    baselines: baselinesOf(definition),
    version: packageVersion,
  });
  if (attempt > 0)
    tell(context, `resumed/${attempt}`, {
      type: "run-resumed",
      run: record.id,
      round: lastRound(events),
      rounds: budget.rounds,
      ...limits,
      processId: process.pid,
    });
  tell(context, `engine/${attempt}`, {
    type: "engine-started",
    engine: capabilities.engine,
    device: capabilities.device,
    workers: capabilities.workers,
    seconds: setUpSeconds,
    ...(capabilities.prices === undefined ? {} : { currency: capabilities.prices.currency }),
  });
}
