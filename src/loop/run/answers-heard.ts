import type { StoredEvent } from "../../foundation/contract/index.ts";
import { isOpen, questionsOf } from "../oversight/index.ts";

export interface AnswersHeard {
  /** Promotions that a person was asked of and that are decided. */
  readonly decided: number;
  /** Whether one was answered and is still to be made, or given up. */
  readonly toDecide: boolean;
  /** Whether nobody has answered one yet. */
  readonly open: boolean;
}

/** What became of the promotions of which a person was asked. */
export function answersHeard(events: readonly StoredEvent[]): AnswersHeard {
  const asked = new Map<string, number>();
  const answered = new Set<number>();
  let decided = 0;
  for (const { event } of events) {
    if (event.type === "question-asked" && event.about === "promotion")
      asked.set(event.question, event.round);
    const round = event.type === "question-answered" ? asked.get(event.question) : undefined;
    if (round !== undefined) answered.add(round);
    if (event.type === "decision-made" && event.decision.acted) {
      answered.delete(event.round);
      if ([...asked.values()].includes(event.round)) decided += 1;
    }
    // What was compared with the champion that was taken back is given up.
    if (event.type === "champion-rolled-back") answered.clear();
  }
  const open = questionsOf(events).some((question) => question.about === "promotion" && isOpen(question));
  return { decided, toDecide: answered.size > 0, open };
}
