import type { PreparedModel } from "../../model/engine/index.ts";
import { auditStage } from "../round/audit.ts";
import type { PlayedRound } from "../round/baselines.ts";
import { certifyAudit } from "../round/certify.ts";
import { askedCheckpoints, type RoundContext, tell } from "../round/context.ts";
import { settleAll, settleAnswered, settleWaiting } from "../round/decide/waiting-promotions.ts";
import { evaluateStage } from "../round/evaluate.ts";
import { prepareStage } from "../round/prepare.ts";
import { firstState, type Lineage, type RunState } from "../round/state.ts";
import { playRound } from "../round.ts";
import { rememberChampion } from "./adopt.ts";
import { answersHeard } from "./answers-heard.ts";
import { measuredSinceEnd, playBaselines } from "./baselines.ts";
import { type SpentCap, spentWords, stoppedAt } from "./budget/spending.ts";
import { budgetWords } from "./budget.ts";
import type { CostMeter } from "./cost.ts";
import { replayRollbacks } from "./replay-rollbacks.ts";
import { lastRound } from "./result.ts";

/** Rounds until the budget is spent or a guard stops; then the claim, on audit items. */
export async function play(
  context: RoundContext,
  prepared: PreparedModel,
  origin: Lineage | null,
  aside: CostMeter["aside"],
): Promise<void> {
  const { definition, ledger } = context;
  const rollbacks = replayRollbacks(context);
  let base: Lineage | undefined;
  let state: RunState | undefined;
  let spent: SpentCap | null = null;
  const rounds: PlayedRound[] = [];
  try {
    base = origin ?? (await prepareStage(context, prepared));
    const checkpoint = base.checkpoints[definition.optimize.lead] ?? "";
    if (origin !== null)
      tell(context, "round-0/model-prepared", {
        type: "model-prepared",
        round: 0,
        checkpoint,
        ...askedCheckpoints(context, base.checkpoints),
      });
    const { measurement } = await evaluateStage(context, 0, base, null);
    state = firstState(base, measurement);
    tell(context, "round-0/cost", { type: "cost-metered", round: 0, cost: context.cost() });
    const played = lastRound(context.run.events());
    const last = Math.max(definition.budget.rounds, rollbacks.lastRound);
    rollbacks.after(state);
    while (state.round < last && state.stopped === null) {
      const before: RunState = state;
      const next = before.round + 1;
      if (next > played) context.withinBudget();
      const givenUp = rollbacks.givesUp(next);
      const made: RunState = givenUp ? { ...before, round: next } : await playRound(context, before);
      const after = await settleWaiting(context, made);
      if (!givenUp) rounds.push({ before, after });
      state = rollbacks.after(after);
      // Rounds that were played before are only read again: what they came to is not the newest.
      if (state.round >= played) rememberChampion(definition, ledger, state.champion);
    }
  } catch (error) {
    spent = stoppedAt(error);
    if (spent === null) throw error;
  }
  if (state !== undefined && state.waiting.length > 0) {
    // At a cap nobody is waited for: questions survive the end, and whoever runs next takes their answers in.
    const settle = spent === null ? settleAll : settleAnswered;
    state = rollbacks.after(await settle(context, state));
    rememberChampion(definition, ledger, state.champion);
  }
  if (base !== undefined && state !== undefined) {
    const { round } = state;
    const { fromScratch } = prepared;
    await playBaselines(context, { base, rounds, round, fromScratch, spent, aside });
  }
  await close(context, { base, state, spent, rollbacks: rollbacks.count });
}

interface Closing {
  /** Undefined where the budget did not last for them. */
  readonly base: Lineage | undefined;
  readonly state: RunState | undefined;
  /** The cap that ended the run; null where none did. */
  readonly spent: SpentCap | null;
  readonly rollbacks: number;
}

/** The claim, and the last words. A run that was stopped before there was a base has no champion to speak of. */
async function close(context: RoundContext, { base, state, spent, rollbacks }: Closing): Promise<void> {
  const { definition } = context;
  const round = state?.round ?? 0;
  const champion = state?.champion;
  if (base !== undefined && champion !== undefined && champion !== base) {
    await auditStage(context, round, "base", base, champion, rollbacks);
    const shipped = champion.checkpoints[definition.optimize.lead] ?? "";
    await certifyAudit(context, { round: champion.round, checkpoint: shipped }, "base");
  }
  const { decided } = answersHeard(context.run.events());
  const names = [
    `finished/${round}`,
    ...(rollbacks === 0 ? [] : [String(rollbacks)]),
    ...(decided === 0 ? [] : [`answered-${decided}`]),
    ...(measuredSinceEnd(context.run.events()) ? ["baselines"] : []),
  ];
  const end = [...names, ...(spent === null ? [] : [budgetWords(definition.budget)])].join("/");
  tell(context, `${end}/cost`, { type: "cost-metered", round, cost: context.cost() });
  const why = spent === null ? null : spentWords(spent);
  if (state !== undefined && champion !== undefined)
    tell(context, end, {
      type: "run-finished",
      outcome: why !== null ? "budget-spent" : state.stopped === null ? "rounds-spent" : "stopped-by-guard",
      reason: why ?? state.stopped ?? budgetWords({ rounds: definition.budget.rounds }),
      champion: champion.checkpoints[definition.optimize.lead] ?? "",
      championRound: champion.round,
    });
  // Last of all: it says that nothing is left to do.
  if (spent !== null && why !== null)
    tell(context, `${end}/spent`, { type: "budget-spent", round, ...spent, reason: why });
}
