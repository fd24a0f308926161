import { hashOf } from "../../foundation/base/index.ts";
import type {
  Decision,
  Gain,
  GuardFinding,
  Item,
  Measurement,
  MeterReading,
  RoundEvidence,
  RunEvent,
  TrainingEvidence,
} from "../../foundation/contract/index.ts";
import { evaluationItems, gainOf, measure, meters, pairsOf, shownSamples } from "../../lifecycle/evaluate/index.ts";
import { speak } from "../../lifecycle/guard/index.ts";
import { drawItems } from "../../world/task/index.ts";
import { decide, openGate, type PairedBlock } from "../gate.ts";
import { type RoundContext, type StageProgress, stage, streamOf } from "./context.ts";
import { leadOf, measureValidation } from "./measure.ts";
import type { Lineage } from "./state.ts";

/** Strata with fewer decision items than this are measured, but outside the gate: their items could not stay fresh. */
const fewestDecisionItems = 10_000;
const decisionShare = 0.25;

/** The candidate on validation items, with a few of its answers for people. */
export async function evaluateStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage | null,
): Promise<Measurement> {
  const { definition } = context;
  return stage(context, round, "evaluate", "validation items", async (progress) => {
    const { measurement, judged } = await measureValidation(context, candidate, progress);
    const before = champion === null ? [] : (await measureValidation(context, champion, progress)).judged;
    const events: RunEvent[] = [
      { type: "validation-measured", round, who: round === 0 ? "base" : "candidate", measurement },
      { type: "samples-shown", round, samples: [...shownSamples({ task: definition.task, before, after: judged, measurement })] },
    ];
    const { unit } = definition.task.difficulty;
    return {
      result: measurement,
      summary: `accuracy ${(100 * measurement.mean).toFixed(1)} %, every ${unit} up to ${measurement.frontier90 ?? "none"} solved`,
      events,
    };
  });
}

/** Reads meters and lets guards speak; both see training and validation only. */
export async function guardStage(
  context: RoundContext,
  round: number,
  measured: { readonly validation: Measurement; readonly champion: Measurement; readonly training: TrainingEvidence },
): Promise<GuardFinding[]> {
  const { definition, run } = context;
  return stage(context, round, "guard", definition.guard.map(({ name }) => name).join(", ") || "none", async () => {
    const history = run
      .events()
      .flatMap(({ event }) => (event.type === "meters-read" && event.round < round ? [event.readings] : []));
    const evidence: RoundEvidence = {
      round,
      method: definition.optimize.name,
      learnsBy: definition.optimize.learnsBy,
      validation: measured.validation,
      championValidation: measured.champion,
      training: measured.training,
      history,
    };
    const readings: MeterReading[] = meters.map((meter) => ({ meter: meter.name, unit: meter.unit, ...meter.read(evidence) }));
    const findings = speak(definition.guard, evidence);
    const loud = findings.filter(({ answer }) => answer !== "ok");
    return {
      result: findings,
      summary: loud.length === 0 ? "all is well" : loud.map(({ guard, answer }) => `${guard}: ${answer}`).join(", "),
      events: [
        { type: "meters-read", round, readings },
        { type: "guards-spoke", round, findings },
      ],
    };
  });
}

/** The seed that draws a round's decision items: its hash is told before training, itself with the decision. */
export function decisionSeed(context: RoundContext, round: number): string {
  return hashOf({ seed: context.definition.seed, run: context.run.id, round, purpose: "decision" });
}

/** Candidate against champion on decision items that nobody has seen; nothing but this promotes. */
export async function decideStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage,
  findings: readonly GuardFinding[],
): Promise<Decision> {
  const { definition, ledger, run } = context;
  const { gate } = definition;
  return stage(context, round, "decide", "candidate against champion", async (progress) => {
    const observe = gate.mode === "observe";
    const barred = !observe && findings.some(({ answer }) => answer === "stop" || answer === "roll-back");
    const key = `${definition.task.name}@${definition.task.version}`;
    const opening = barred
      ? null
      : await openGate({
          opening: ledger.nextOpening(key, `${run.id}/${round}`),
          options: gate,
          nextBlocks: blocksOf(context, round, candidate, champion, key, progress),
        });
    const decision = decide({ opening, findings, observe });
    return {
      result: decision,
      summary: decision.reason,
      events: [
        { type: "decision-made", round, decision, seed: decisionSeed(context, round) },
        ...(decision.acted && decision.decision === "promote"
          ? [{ type: "candidate-promoted" as const, round, checkpoint: candidate.checkpoints[definition.optimize.lead] ?? "" }]
          : []),
        ...(decision.acted && (decision.decision === "reject" || decision.decision === "roll-back")
          ? [{ type: "candidate-rejected" as const, round, checkpoint: candidate.checkpoints[definition.optimize.lead] ?? "" }]
          : []),
      ],
    };
  });
}

/** Blocks in a fixed order, one unused decision item of each large stratum in each. */
function blocksOf(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  champion: Lineage,
  key: string,
  progress: StageProgress,
): (count: number) => Promise<readonly PairedBlock[]> {
  const { definition, ledger, run } = context;
  const { task, refine, gate } = definition;
  const strata = task.strata.filter(({ weight, distinct }) => weight > 0 && distinct * decisionShare >= fewestDecisionItems);
  const owner = `${run.id}/${round}`;
  const used = ledger.usedBefore(key, owner);
  const seed = decisionSeed(context, round);
  const seedNumber = Number.parseInt(seed.slice(0, 12), 16);
  const taken = new Set<string>();
  let drawn = 0;
  return async (count) => {
    const most = Math.min(count, Math.floor(gate.cap / Math.max(1, strata.length)) - drawn);
    if (strata.length === 0 || most <= 0) return [];
    const blocks: Item[][] = [];
    for (let index = 0; index < most; index++) {
      blocks.push(
        strata.map(({ difficulty }) => {
          const [item] = drawItems({
            task,
            difficulty,
            split: "decision",
            count: 1,
            random: streamOf(context, round, `decision/${seed}/${drawn + index}/${difficulty}`),
            exclude: (canonical) => used.has(canonical) || taken.has(canonical),
          });
          taken.add((item as Item).canonical);
          return item as Item;
        }),
      );
    }
    drawn += most;
    const items = blocks.flat();
    ledger.useItems(key, owner, items.map(({ canonical }) => canonical));
    const answer = async (lineage: Lineage) =>
      refine.answer({
        policy: await leadOf(context, lineage),
        items,
        maxTokens: (item) => task.maxTokens(item),
        seed: seedNumber,
      });
    const [after, before] = await Promise.all([answer(candidate), answer(champion)]);
    progress("answer decision items", drawn * strata.length, gate.cap);
    const pairs = pairsOf({ task, candidate: after, champion: before });
    return blocks.map((_, index) => ({ pairs: pairs.slice(index * strata.length, (index + 1) * strata.length) }));
  };
}

/** What a promotion, or the whole run, gained on audit items: answered once the decision is stored, read by nobody but people. */
export async function auditStage(
  context: RoundContext,
  round: number,
  comparison: "previous-champion" | "base",
  before: Lineage,
  after: Lineage,
): Promise<Gain> {
  const { task, refine, evaluate } = context.definition;
  const perStratum = comparison === "base" ? evaluate.finalAuditPerStratum : evaluate.auditPerStratum;
  const label = comparison === "base" ? "champion against base" : "new champion against old";
  return stage(context, round, "audit", label, async (progress) => {
    const items = evaluationItems({
      task,
      split: "audit",
      perStratum,
      random: streamOf(context, round, `audit/${comparison}`),
    });
    const seed = streamOf(context, round, `audit-answers/${comparison}`).seed();
    const answer = async (lineage: Lineage) =>
      measure({
        task,
        harness: refine,
        policy: await leadOf(context, lineage),
        items,
        split: "audit",
        seed,
        onProgress: (done, total) => progress("answer audit items", done, total),
      });
    const [old, fresh] = await Promise.all([answer(before), answer(after)]);
    const gain = gainOf({ task, before: old.judged, after: fresh.judged });
    return {
      result: gain,
      summary: `${gain.mean >= 0 ? "+" : ""}${(100 * gain.mean).toFixed(1)} points`,
      events: [
        { type: "audit-measured", round, comparison, before: old.measurement, after: fresh.measurement, gain },
      ],
    };
  }, `-${comparison}`);
}

/** Which champion a round leaves behind is read off its decision alone. */
export function promoted(decision: Decision): boolean {
  return decision.acted && decision.decision === "promote";
}
