import { setTimeout as wait } from "node:timers/promises";
import type { OversightAnswer } from "../../foundation/contract/index.ts";
import type { AnswerFiles } from "../../foundation/ledger/index.ts";

/** How soon an answer is heard. */
const betweenLooksMs = 250;

export interface WaitRequest {
  readonly answers: Pick<AnswerFiles, "find">;
  /** Names of the questions; the first answer to any of them ends the waiting. */
  readonly questions: readonly string[];
  readonly signal?: AbortSignal;
}

/** Waits until a person has answered one of the questions. Rejects with the signal's reason, and with `answer-damaged`. */
export async function waitForAnswer({ answers, questions, signal }: WaitRequest): Promise<OversightAnswer> {
  for (;;) {
    for (const question of questions) {
      const answer = answers.find(question);
      if (answer !== undefined) return answer;
    }
    signal?.throwIfAborted();
    await wait(betweenLooksMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}
