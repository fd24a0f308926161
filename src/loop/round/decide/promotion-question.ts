import { type Decision, decisionSchema, type OversightAnswer } from "../../../foundation/contract/index.ts";
import { ask } from "../ask.ts";
import { leadCheckpoint, type RoundContext } from "../context.ts";
import { decisionSeed } from "../decide.ts";
import type { Lineage } from "../state.ts";

/**
 * The decision that a round ends with: where the gate's is to be approved, once a person has answered. A rejection is one like
 * any other, for the person's reason; audit items are not answered before.
 */
export async function approvedDecision(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  decision: Decision,
): Promise<Decision> {
  if (decision.decision !== "ask") return decision;
  const checkpoint = leadCheckpoint(context, candidate);
  const stored = await ask(context, {
    what: `promotion-${round}`,
    round,
    about: "promotion",
    text: `promote the candidate of round ${round} (${decision.reason})`,
    details: {},
    step: `round-${round}/approval`,
    stage: "decide",
    answered: (answer) => {
      const final = answeredDecision(decision, answer);
      const type = final.decision === "promote" ? "candidate-promoted" : "candidate-rejected";
      return {
        result: final,
        events: [
          { type: "decision-made", round, decision: final, seed: decisionSeed(context, round) },
          { type, round, checkpoint },
        ],
      };
    },
  });
  return decisionSchema.parse(stored);
}

function answeredDecision(asked: Decision, { answer, why }: OversightAnswer): Decision {
  const said = why === "" ? "" : `: ${why}`;
  return answer === "approve"
    ? { ...asked, decision: "promote", acted: true, reason: `${asked.reason}; a person approved it${said}` }
    : {
        ...asked,
        decision: "reject",
        acted: true,
        reason: `a person rejected it${said} (the gate said ${asked.reason})`,
      };
}
