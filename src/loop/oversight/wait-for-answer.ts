import { setTimeout as wait } from "node:timers/promises";
import type { OversightAnswer } from "../../foundation/contract/index.ts";
import type { AnswerFiles } from "../../foundation/ledger/index.ts";

/** How soon an answer is heard. */
const betweenLooksMs = 250;

export interface WaitRequest {
  readonly answers: Pick<AnswerFiles, "find">;
  /** The question's name. */
  readonly question: string;
  readonly signal?: AbortSignal;
}

/** Waits until a person has answered. Rejects with the signal's reason, and with `answer-damaged`. */
export async function waitForAnswer({ answers, question, signal }: WaitRequest): Promise<OversightAnswer> {
  for (;;) {
    const answer = answers.find(question);
    if (answer !== undefined) return answer;
    signal?.throwIfAborted();
    await wait(betweenLooksMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
