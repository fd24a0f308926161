import type { OversightAnswer } from "../../foundation/contract/index.ts";
import type { Ledger } from "../../foundation/ledger/index.ts";
import { isOpen, questionsOf } from "../oversight/index.ts";

/**
 * Puts answers that lie ready into the ledger, for whoever owns it: a process that was to take one in may have died before. One to
 * a question that needs none any more is taken away. Throws `answer-damaged`.
 */
export function takeAnswers(ledger: Ledger): void {
  const left = ledger.answers.left();
  if (left.length === 0) return;
  for (const record of ledger.runs()) {
    const run = ledger.openRun(record);
    for (const { id, round } of questionsOf(run.events()).filter(isOpen)) {
      const answer: OversightAnswer | undefined = ledger.answers.find(id);
      if (answer !== undefined) run.append(`answer/${id}`, { type: "question-answered", round, ...answer });
    }
  }
  for (const id of left) ledger.answers.remove(id);
}
