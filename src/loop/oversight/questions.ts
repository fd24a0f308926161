import type { EventOf, OversightAnswer, StoredEvent } from "../../foundation/contract/index.ts";

/** A question to a person, as the ledger has it. */
export interface Question {
  /** Its name in the folder: `1-promotion-3`. */
  readonly id: string;
  readonly round: number;
  readonly about: EventOf<"question-asked">["about"];
  readonly text: string;
  readonly details: EventOf<"question-asked">["details"];
  /** When it was asked, in milliseconds. */
  readonly askedAt: number;
  /** Null while nobody has answered. */
  readonly answer: (Omit<OversightAnswer, "question"> & { readonly at: number }) | null;
  /** Nobody need answer any more: the champion has changed meanwhile, by a person or by another promotion. */
  readonly givenUp: boolean;
}

/** All questions of a run, in the order in which they were asked. */
export function questionsOf(events: readonly StoredEvent[]): Question[] {
  const questions = new Map<string, Question>();
  for (const { at, event } of events) {
    if (event.type === "question-asked") {
      const { question: id, round, about, text, details } = event;
      questions.set(id, { id, round, about, text, details, askedAt: at, answer: null, givenUp: false });
    }
    if (event.type === "question-answered") {
      const asked = questions.get(event.question);
      const { answer, why, by } = event;
      if (asked !== undefined) questions.set(asked.id, { ...asked, answer: { answer, why, by, at } });
    }
    // Its round was decided without an answer: the comparison was stale.
    if (event.type === "decision-made" && event.decision.acted)
      for (const asked of questions.values())
        if (asked.about === "promotion" && asked.round === event.round && isOpen(asked))
          questions.set(asked.id, { ...asked, givenUp: true });
    if (event.type === "champion-rolled-back")
      for (const asked of questions.values())
        if (asked.about === "promotion" && isOpen(asked))
          questions.set(asked.id, { ...asked, givenUp: true });
  }
  return [...questions.values()];
}

/** A run's question by its name; undefined where it was not asked. */
export function questionNamed(events: readonly StoredEvent[], id: string): Question | undefined {
  return questionsOf(events).find((question) => question.id === id);
}

export function isOpen({ answer, givenUp }: Pick<Question, "answer" | "givenUp">): boolean {
  return answer === null && !givenUp;
}

/** The name of a run's question in its folder: runs are numbered there, and their names begin so. */
export function questionId(run: string, what: string): string {
  return `${run.split("-", 1)[0]}-${what}`;
}
