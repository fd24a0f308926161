import { type Decision, decisionSchema, type OversightAnswer } from "../../../foundation/contract/index.ts";
import { isOpen, questionId, questionNamed } from "../../oversight/index.ts";
import { ask } from "../ask.ts";
import type { RoundContext } from "../context.ts";
import { decisionEvents } from "../decide.ts";
import type { Lineage } from "../state.ts";

/**
 * The decision that a round ends with: where the gate's is to be approved, once a person has answered. A rejection is one like
 * any other, for the person's reason; audit items are not answered before. Where rounds go on meanwhile the question is put, and
 * the decision stays what it is: to ask.
 */
export async function approvedDecision(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  decision: Decision,
): Promise<Decision> {
  if (decision.decision !== "ask") return decision;
  const question = questionOf(round, decision);
  const step = `round-${round}/approval`;
  if (await goesOnMeanwhile(context, round, question, step)) return decision;
  const stored = await ask(context, {
    ...question,
    step,
    stage: "decide",
    answered: (answer) => {
      const final = answeredDecision(decision, answer);
      return { result: final, events: decisionEvents(context, round, candidate, final) };
    },
  });
  return decisionSchema.parse(stored);
}

function questionOf(round: number, { reason }: Decision) {
  return {
    what: `promotion-${round}`,
    round,
    about: "promotion" as const,
    text: `promote the candidate of round ${round} (${reason})`,
    details: {},
  };
}

/** The name of a round's question in its folder. */
export function promotionQuestion({ run }: Pick<RoundContext, "run">, round: number): string {
  return questionId(run.id, `promotion-${round}`);
}

/** Puts a question once and goes on, where the run says so; which of the two a round did is kept. */
async function goesOnMeanwhile(
  context: RoundContext,
  round: number,
  { text, about, details }: ReturnType<typeof questionOf>,
  approval: string,
): Promise<boolean> {
  const { run, definition, watch, oversight } = context;
  const name = `round-${round}/waits`;
  if (!run.isFinished(name)) {
    if (definition.oversight.whileWaiting === "stop" || run.isFinished(approval)) return false;
    context.safePoint();
  }
  const question = promotionQuestion(context, round);
  const { events } = await run.step(name, { question }, async () => ({
    result: null,
    events: [
      {
        key: `question/${question}`,
        event: { type: "question-asked", round, question, about, text, details },
      },
    ],
  }));
  for (const event of events) watch(event);
  const asked = questionNamed(run.events(), question);
  if (asked !== undefined && isOpen(asked)) oversight.onQuestion?.(asked, { goesOn: true });
  return true;
}

export function answeredDecision(asked: Decision, { answer, why }: OversightAnswer): Decision {
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
