import { isDeepStrictEqual } from "node:util";
import type { Budget, StoredEvent } from "../../../foundation/contract/index.ts";
import { type Question, questionsOf } from "../../oversight/index.ts";
import { type Asking, ask } from "../../round/ask.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { budgetWords, isBeyond, withinBoth } from "../budget.ts";
import { lastRound } from "../result.ts";

/**
 * The budget that a run may spend without a question: the one that it began with, those that were approved since, and those
 * that were given while nobody asked; undefined before it began.
 */
export function approvedBudget(events: readonly StoredEvent[]): Budget | undefined {
  let approved: Budget | undefined;
  const asked = new Map<string, Budget>();
  for (const { event } of events) {
    if (event.type === "run-started" || (event.type === "run-resumed" && !event.ask?.includes("budget")))
      approved = event.budget ?? { rounds: event.rounds };
    if (event.type === "question-asked" && event.details.to !== undefined)
      asked.set(event.question, event.details.to);
    if (event.type === "question-answered" && event.answer === "approve")
      approved = asked.get(event.question) ?? approved;
  }
  return approved;
}

/**
 * Asks for a budget that goes beyond what was approved, and waits for the answer. Where it was rejected the run goes on within
 * both: what was approved, and what is asked for now. One that was rejected, and whose rejection was heard, is asked for anew
 * by who gives it once more (`given`), and by no config that only still says it.
 */
export async function askForMore(
  asking: Asking,
  definition: RunDefinition,
  { given }: { readonly given: boolean },
): Promise<RunDefinition> {
  const { budget, oversight } = definition;
  const events = asking.run.events();
  const approved = approvedBudget(events);
  if (!oversight.ask.includes("budget") || approved === undefined || !isBeyond(budget, approved))
    return definition;
  const earlier = questionsOf(events).filter(({ about }) => about === "budget");
  const same = earlier.findLastIndex(({ details }) => isDeepStrictEqual(details.to, budget));
  const heard = earlier[same]?.answer?.answer === "reject" && asking.run.isFinished(approvalStep(same + 1));
  const number = (same === -1 || (heard && given) ? earlier.length : same) + 1;
  const answer = await ask(asking, {
    what: `budget-${number}`,
    round: lastRound(events),
    about: "budget",
    text: `raise the budget of “${definition.name}” from ${budgetWords(approved)} to ${budgetWords(budget)}`,
    details: { to: budget },
    step: approvalStep(number),
    stage: "set-up",
    answered: ({ answer: said }) => ({ result: said }),
  });
  return answer === "approve" ? definition : { ...definition, budget: withinBoth(budget, approved) };
}

function approvalStep(number: number): string {
  return `budget-${number}/approval`;
}

/** The rejection that keeps a run from this budget; undefined where none does. */
export function rejectionOf(events: readonly StoredEvent[], budget: Budget): Question | undefined {
  const asked = questionsOf(events).findLast(
    ({ about, details }) => about === "budget" && isDeepStrictEqual(details.to, budget),
  );
  return asked?.answer?.answer === "reject" ? asked : undefined;
}
