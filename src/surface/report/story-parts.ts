import type { Cost, Measurement } from "../../foundation/contract/index.ts";
import type { RoundDraft } from "./round-draft.ts";
import type { AuditStory, RoundStory, RunState, RunStory } from "./story.ts";

/** A story is a value: what is heard later does not change it. */
export function copyOf(round: RoundDraft): RoundStory {
  return { ...round, stages: round.stages.map((stage) => ({ ...stage })) };
}

export function currentOf(rounds: readonly RoundStory[], state: RunState): RunStory["current"] {
  if (state === "finished" || state === "stopped-by-guard") return null;
  const last = rounds.at(-1);
  if (last?.givenUp === true) return null;
  const open = last?.stages.findLast(({ summary }) => summary === null);
  return last === undefined || open === undefined
    ? null
    : { round: last.round, stage: open.stage, label: open.label, since: open.since };
}

/** The round that made the champion with which a round began; 0 is the base. */
export function championBefore(
  { rounds, rollbacks }: Pick<RunStory, "rounds" | "rollbacks">,
  round: number,
): number {
  let champion = 0;
  for (const { round: earlier, promoted } of rounds) {
    if (earlier >= round) break;
    if (promoted) champion = earlier;
    champion = rollbacks.findLast((rollback) => rollback.round === earlier)?.to ?? champion;
  }
  return champion;
}

export function frontierOf(
  audit: AuditStory | null,
  base: Measurement | null,
  champion: Measurement | null,
): RunStory["frontier"] {
  if (audit !== null)
    return { before: audit.before.frontier90, after: audit.after.frontier90, split: "audit" };
  if (base === null || champion === null) return null;
  return { before: base.frontier90, after: champion.frontier90, split: "validation" };
}

/** What was spent so far, and since the last time the whole run was metered. */
export function sumOf(spent: Cost | null, now: Cost, before: Cost | null): Cost {
  const more = (name: keyof Cost): number => (spent?.[name] ?? 0) + (now[name] ?? 0) - (before?.[name] ?? 0);
  return {
    tokensSampled: more("tokensSampled"),
    tokensTrained: more("tokensTrained"),
    optimizerSteps: more("optimizerSteps"),
    busySeconds: more("busySeconds"),
    availableSeconds: more("availableSeconds"),
    wallSeconds: more("wallSeconds"),
    ...(now.currency === undefined ? {} : { currency: more("currency") }),
  };
}
