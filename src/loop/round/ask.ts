import type { Json } from "../../foundation/base/index.ts";
import type { OversightAnswer, RunEvent } from "../../foundation/contract/index.ts";
import { type Question, questionId, questionNamed, waitForAnswer } from "../oversight/index.ts";
import { type RoundContext, tell } from "./context.ts";

/** Who asks: a run, at work or about to begin. */
export type Asking = Pick<RoundContext, "run" | "ledger" | "watch" | "signal" | "oversight">;

export interface AskRequest<T extends Json> extends Pick<Question, "round" | "about" | "text" | "details"> {
  /** Tells it apart from the run's other questions: `promotion-3`. */
  readonly what: string;
  /** The step that waits for the answer, and its stage for those who watch. */
  readonly step: string;
  readonly stage: "decide" | "set-up";
  /** What is stored with the answer. */
  readonly answered: (answer: OversightAnswer) => {
    readonly result: T;
    readonly events?: readonly RunEvent[];
  };
}

/**
 * Asks a person and waits, once over all attempts at the run: the question is an event, and so is its answer, which is stored
 * together with what follows from it. Nothing that depends on it is begun before.
 */
export async function ask<T extends Json>(asking: Asking, request: AskRequest<T>): Promise<T> {
  const { run, ledger, watch, oversight } = asking;
  const { round, about, text, details, step, stage, answered } = request;
  const question = questionId(run.id, request.what);
  tell(asking, `question/${question}`, { type: "question-asked", round, question, about, text, details });
  const known = (): Question | undefined => questionNamed(run.events(), question);
  const { result, events } = await run.step<T>(step, { question }, async () => {
    // Whoever answered while nobody ran here has put it into the ledger.
    const { answer: stored } = known() ?? {};
    const answer = stored == null ? await heard() : { question, ...stored };
    const { result: made, events: own = [] } = answered(answer);
    return {
      result: made,
      events: [
        answerEvent(question, round, answer),
        ...own.map((event) => ({ key: `${step}/${event.type}`, event })),
      ],
    };
  });
  for (const event of events) watch(event);
  ledger.answers.remove(question);
  return result;

  async function heard(): Promise<OversightAnswer> {
    const asked = known();
    if (asked !== undefined) oversight.onQuestion?.(asked, { goesOn: false });
    return hearAnswer(asking, [question], stage);
  }
}

/** Waits until one of the questions is answered; that takes no time of the run. */
export async function hearAnswer(
  { ledger, watch, signal, oversight }: Omit<Asking, "run">,
  questions: readonly string[],
  stage: AskRequest<Json>["stage"],
): Promise<OversightAnswer> {
  watch({
    type: "progress",
    stage,
    label: `waits for an answer to ${questions.join(", ")}`,
    done: 0,
    total: 0,
  });
  const goOn = oversight.pauseCost?.();
  try {
    return await waitForAnswer({ answers: ledger.answers, questions, ...(signal ? { signal } : {}) });
  } finally {
    goOn?.();
  }
}

/** An answer as it is stored: what else the answer's file may hold is not. */
export function answerEvent(key: string, round: number, { question, answer, why, by }: OversightAnswer) {
  const event = { type: "question-answered" as const, round, question, answer, why, by };
  return { key: `answer/${key}`, event };
}
