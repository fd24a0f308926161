import { sha256 } from "../foundation/base/index.ts";
import { methodOf } from "../gro/method/index.ts";
import { acquireStage } from "./round/acquire.ts";
import { attemptsStage } from "./round/attempts.ts";
import { certifyAndAudit } from "./round/certify-and-audit.ts";
import { type RoundContext, shippedCheckpoints, shippedName, tell } from "./round/context.ts";
import { approvedDecision } from "./round/decide/promotion-question.ts";
import { whyStale } from "./round/decide/waiting-promotions.ts";
import { decideStage, decisionSeed } from "./round/decide.ts";
import { evaluateStage } from "./round/evaluate.ts";
import { guardStage } from "./round/guards.ts";
import { optimizeStage, whyNothingLearnt } from "./round/optimize.ts";
import { refusalsStage } from "./round/refusals.ts";
import { selectStage } from "./round/select.ts";
import { type Lineage, nextState, promoted, type RunState, startingPoint } from "./round/state.ts";

/**
 * One turn of the loop. `acquire` fills a pool; `select` picks; `optimize` makes candidate weights, which `refine`'s harness
 * lets answer; `evaluate` measures them; guards speak; the gate decides; what was gained is audited; the ledger has it all.
 */
export async function playRound(context: RoundContext, state: RunState): Promise<RunState> {
  const { definition } = context;
  const { base, champion } = state;
  const round = state.round + 1;
  const { lineage: start, from } = startingPoint(state);
  // A person who is waited for takes no time of the run.
  const began = context.cost().wallSeconds;
  await context.samplers.keep(
    [base, champion, start].flatMap((lineage) => shippedCheckpoints(context, lineage)),
  );
  const seedHash = sha256(decisionSeed(context, round));
  tell(context, `round-${round}/started`, {
    type: "round-started",
    round,
    plan: planOf(context, round),
    startFrom: from,
    seedHash,
  });

  const { learningRate, realData } = state.remedies;
  if (learningRate !== 1 || realData !== 1)
    tell(context, `round-${round}/remedies`, { type: "remedies-applied", round, learningRate, realData });
  const pool = await acquireStage(context, round, start, state);
  const selection = await selectStage(context, round, start, pool);
  const { candidate, evidence } = await optimizeStage(context, round, start, state, selection, pool);
  const { measurement: validation, gain, whole } = await evaluateStage(context, round, candidate, champion);
  const attempts = await attemptsStage(context, round, candidate, state);
  const refusals = await refusalsStage(context, round, candidate, state);
  const measured = {
    ...evidence,
    candidate: validation,
    champion: state.championValidation,
    gain,
    attempts,
    ...(refusals === undefined ? {} : { refusals }),
  };
  const findings = await guardStage(context, round, measured);
  const decided = await decideStage(context, round, candidate, champion, {
    findings,
    gain,
    whole,
    idle:
      whyNothingLearnt(evidence.training) ??
      whyUnchanged(context, candidate, start) ??
      whyStale(context, state),
  });
  const decision = await approvedDecision(context, round, candidate, decided);
  if (promoted(decision)) await certifyAndAudit(context, round, { candidate, champion, evidence });
  tell(context, `round-${round}/cost`, { type: "cost-metered", round, cost: context.cost() });
  const seconds = context.cost().wallSeconds - began;
  tell(context, `round-${round}/finished`, { type: "round-finished", round, seconds });
  return nextState(state, { candidate, validation, findings, decision, evidence, definition });
}

/** What was learnt may be another role's alone: no opening is spent on weights that answer as before. */
function whyUnchanged(context: RoundContext, candidate: Lineage, start: Lineage): string | null {
  return shippedName(context, candidate) === shippedName(context, start)
    ? "no weights that answer learnt anything: what was learnt is another role's"
    : null;
}

function planOf({ definition }: RoundContext, round: number): string {
  const names = (parts: readonly { name: string }[]): string => parts.map(({ name }) => name).join(" + ");
  const { acquire, select, optimize, refine } = definition;
  return `${names(acquire)} → ${names(select) || "everything"} → ${methodOf(optimize, round).name} → ${refine.name}`;
}
