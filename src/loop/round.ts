import { sha256 } from "../foundation/base/index.ts";
import { type RoundContext, tell } from "./round/context.ts";
import { auditStage, decideStage, decisionSeed, evaluateStage, guardStage, promoted } from "./round/judge.ts";
import { acquireStage, optimizeStage, selectStage } from "./round/learn.ts";
import { candidatesInARow, type Lineage, type RunState, startingPoint } from "./round/state.ts";

/**
 * One turn of the loop. `acquire` fills a pool; `select` picks; `optimize` makes candidate weights, which `refine`'s harness
 * lets answer; `evaluate` measures them; guards speak; the gate decides; what was gained is audited; the ledger has it all.
 */
export async function playRound(context: RoundContext, before: RunState): Promise<RunState> {
  const round = before.round + 1;
  const { lineage: start, from } = startingPoint(before);
  const begun = context.clock.monotonic();
  await context.samplers.keep(leadCheckpoints(context, [before.base, before.champion, start]));
  tell(context, `round-${round}/started`, {
    type: "round-started",
    round,
    plan: planOf(context),
    startFrom: from,
    seedHash: sha256(decisionSeed(context, round)),
  });

  const pool = await acquireStage(context, round, start, before);
  const selection = await selectStage(context, round, start, pool);
  const { candidate, evidence } = await optimizeStage(context, round, start, before, selection, pool);
  const validation = await evaluateStage(context, round, candidate, before.champion);
  const findings = await guardStage(context, round, {
    validation,
    champion: before.championValidation,
    training: evidence,
  });
  const decision = await decideStage(context, round, candidate, before.champion, findings);
  if (promoted(decision)) await auditStage(context, round, "previous-champion", before.champion, candidate);

  const stopping = findings.find(({ answer }) => answer === "stop");
  const observed = context.definition.gate.mode === "observe";
  tell(context, `round-${round}/cost`, { type: "cost-metered", round, cost: context.cost() });
  tell(context, `round-${round}/finished`, {
    type: "round-finished",
    round,
    seconds: (context.clock.monotonic() - begun) / 1000,
  });
  const kept = { ...before, round, last: candidate, frontier: validation.frontier90 };
  if (promoted(decision))
    return { ...kept, champion: candidate, championValidation: validation, candidate: null, rejections: 0 };
  const rejections = before.rejections + 1;
  const givenUp =
    !observed &&
    (decision.decision === "roll-back" ||
      context.definition.afterReject === "champion" ||
      rejections > candidatesInARow);
  return {
    ...kept,
    candidate: givenUp ? null : candidate,
    rejections: givenUp ? 0 : rejections,
    frontier: givenUp ? before.championValidation.frontier90 : validation.frontier90,
    stopped: stopping === undefined || observed ? null : `${stopping.guard}: ${stopping.evidence}`,
  };
}

function leadCheckpoints({ definition }: RoundContext, lineages: readonly Lineage[]): string[] {
  return lineages.map(({ checkpoints }) => checkpoints[definition.optimize.lead] ?? "");
}

function planOf({ definition }: RoundContext): string {
  const names = (parts: readonly { name: string }[]): string => parts.map(({ name }) => name).join(" + ");
  return `${names(definition.acquire)} → ${names(definition.select) || "everything"} → ${definition.optimize.name} → ${definition.refine.name}`;
}
