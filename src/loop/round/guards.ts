import { z } from "zod";
import {
  type GuardFinding,
  guardFindingSchema,
  type Measurement,
  type RoundEvidence,
  type TrainingEvidence,
} from "../../foundation/contract/index.ts";
import { methodOf } from "../../gro/method/index.ts";
import { readMeters } from "../../lifecycle/evaluate/index.ts";
import { speak } from "../../lifecycle/guard/index.ts";
import { playStage, type RoundContext } from "./context.ts";

export interface Measurements {
  readonly candidate: Measurement;
  readonly champion: Measurement;
  readonly training: TrainingEvidence;
}

/** Reads meters and lets guards speak; both see training and validation only. */
export async function guardStage(
  context: RoundContext,
  round: number,
  { candidate, champion, training }: Measurements,
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
        learnsBy: method.learnsBy,
        validation: candidate,
        championValidation: champion,
        training,
        history: run
          .events()
          .flatMap(({ event }) =>
            event.type === "meters-read" && event.round < round ? [event.readings] : [],
          ),
      };
      const findings = speak(definition.guard, evidence);
      const loud = findings.filter(({ answer }) => answer !== "ok");
      return {
        result: findings,
        summary:
          loud.length === 0
            ? "all is well"
            : loud.map(({ guard, answer }) => `${guard}: ${answer}`).join(", "),
        events: [
          { type: "meters-read", round, readings: readMeters(evidence) },
          { type: "guards-spoke", round, findings },
        ],
      };
    },
  });
  return z.array(guardFindingSchema).parse(stored);
}
