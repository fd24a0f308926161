import { z } from "zod";
import {
  type AttemptsCompared,
  type EventOf,
  type Gain,
  type GuardFinding,
  guardFindingSchema,
  isUnmeasured,
  type RefusalsCompared,
  type RoundEvidence,
  type StepEvidence,
  type ValidationMeasurement,
} from "../../foundation/contract/index.ts";
import { methodOf } from "../../gro/method/index.ts";
import { readBaseMeters, readMeters } from "../../lifecycle/evaluate/index.ts";
import { speak } from "../../lifecycle/guard/index.ts";
import { playStage, type RoundContext } from "./context.ts";

export interface Measurements extends StepEvidence {
  readonly candidate: ValidationMeasurement;
  readonly champion: ValidationMeasurement;
  readonly gain: Gain | null;
  readonly attempts: AttemptsCompared | null;
  readonly refusals?: RefusalsCompared;
}

/** Reads meters and lets guards speak; both see training and validation only. */
export async function guardStage(
  context: RoundContext,
  round: number,
  { candidate, champion, ...measured }: Measurements,
): Promise<GuardFinding[]> {
  const { definition, run } = context;
  const method = methodOf(definition.optimize, round);
  const stored = await playStage(context, {
    round,
    name: "guard",
    label: definition.guard.map(({ name }) => name).join(", ") || "none",
    input: { candidate: candidate.weightVersion },
    work: async () => {
      const evidence: RoundEvidence = {
        round,
        method: method.name,
        ...measured,
        validation: candidate,
        championValidation: champion,
        history: run
          .events()
          .flatMap(({ event }) =>
            event.type === "meters-read" && event.round < round ? [event.readings] : [],
          ),
        promotions: run
          .events()
          .flatMap(({ event }) =>
            event.type === "candidate-promoted" && event.round < round ? [event.round] : [],
          ),
      };
      const findings = speak(definition.guard, evidence);
      return {
        result: findings,
        summary: summaryOf(findings),
        events: [
          ...baseReadings(round, { ...measured, champion }),
          { type: "meters-read", round, readings: readMeters(evidence, definition.task.difficulty) },
          { type: "guards-spoke", round, findings },
        ],
      };
    },
  });
  return z.array(guardFindingSchema).parse(stored);
}

function summaryOf(findings: readonly GuardFinding[]): string {
  const loud = findings.filter(({ answer }) => answer !== "ok");
  if (loud.length > 0) return loud.map(({ guard, answer }) => `${guard}: ${answer}`).join(", ");
  const unmeasured = findings.filter(isUnmeasured).length;
  if (unmeasured === 0) return "all is well";
  return unmeasured === findings.length
    ? "none could measure"
    : `all is well where it could be measured; ${unmeasured} of ${findings.length} guards could not`;
}

/** What the rounds are compared with is read in the first of them. */
function baseReadings(
  round: number,
  { attempts, refusals, champion }: Pick<Measurements, "attempts" | "refusals" | "champion">,
): EventOf<"meters-read">[] {
  if (round !== 1) return [];
  const readings = readBaseMeters(attempts?.base ?? null, refusals?.base, champion);
  return [{ type: "meters-read", round: 0, readings }];
}
