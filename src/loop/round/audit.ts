import { allSettled } from "../../foundation/base/index.ts";
import { type Gain, gainSchema, type Task } from "../../foundation/contract/index.ts";
import { signedPoints } from "../../foundation/statistics/index.ts";
import {
  estimand,
  evaluationItems,
  gainOf,
  type Measured,
  measurementOf,
  namedPairs,
} from "../../lifecycle/evaluate/index.ts";
import { isEnumerated, itemDigest } from "../../world/task/index.ts";
import { leadCheckpoint, playStage, type RoundContext, shippedName, streamOf } from "./context.ts";
import { judgedAnswers } from "./judged-answers.ts";
import type { Lineage } from "./state.ts";

/**
 * What a promotion, or the whole run, gained on audit items: answered once the decision is stored, and written for people
 * only; no stage has a way to read it.
 */
export async function auditStage(
  context: RoundContext,
  round: number,
  comparison: "previous-champion" | "base",
  before: Lineage,
  after: Lineage,
  /** Times that a person has taken the champion back: another champion is audited anew, on items of its own. */
  rollbacks = 0,
): Promise<Gain> {
  const part = rollbacks === 0 ? comparison : `${comparison}-after-rollback-${rollbacks}`;
  const { task, evaluate } = context.definition;
  const stored = await playStage(context, {
    round,
    name: "audit",
    part,
    label: comparison === "base" ? "champion against base" : "new champion against old",
    input: { before: shippedName(context, before), after: shippedName(context, after) },
    work: async (progress) => {
      const items = evaluationItems({
        task,
        split: "audit",
        perStratum: comparison === "base" ? evaluate.finalAuditPerStratum : evaluate.auditPerStratum,
        random: streamOf(context, round, `audit/${part}`),
      });
      const seed = streamOf(context, round, `audit-answers/${part}`).seed();
      const answered = { before: 0, after: 0 };
      const answer = async (which: "before" | "after", lineage: Lineage): Promise<Measured> => {
        const weightVersion = leadCheckpoint(context, lineage);
        const judged = await judgedAnswers(context, {
          name: `round-${round}/audit-${part}/${which}`,
          lineage,
          items,
          seed,
          askedAgain: false,
          onProgress: (done, total) => {
            answered[which] = done;
            progress("answer audit items", answered.before + answered.after, 2 * total);
          },
        });
        return { measurement: measurementOf(task, judged, { split: "audit", weightVersion }), judged };
      };
      // What one of them answered is stored, whatever becomes of the other.
      const [old, fresh] = await allSettled([answer("before", before), answer("after", after)]);
      const gain = gainOf({ task, before: old.judged, after: fresh.judged });
      const evidence = await context.ledger.artifacts.put(evidenceOf(task, old, fresh));
      return {
        result: gain,
        summary: `${signedPoints(gain.mean)} points`,
        events: [
          {
            type: "audit-measured",
            round,
            comparison,
            before: old.measurement,
            after: fresh.measurement,
            gain,
            evidence,
          },
        ],
      };
    },
  });
  return gainSchema.parse(stored);
}

/** The pairs that the gain is computed from, stratum by stratum, without the items themselves. */
function evidenceOf(task: Task, before: Measured, after: Measured) {
  const { name, version } = task;
  const pairs = Map.groupBy(
    namedPairs({ before: before.judged, after: after.judged }),
    ({ stratum }) => stratum,
  );
  return estimand(task).map((stratum) => {
    const own = pairs.get(stratum.name) ?? [];
    return {
      stratum: stratum.name,
      weight: stratum.weight,
      whole: isEnumerated(stratum),
      items: own.map(({ canonical }) => itemDigest(name, version, canonical)),
      differences: own.map(({ difference }) => difference),
      voids: own.flatMap((pair, index) => (pair.void ? [index] : [])),
    };
  });
}
