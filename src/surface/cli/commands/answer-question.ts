import type { OversightAnswer } from "../../../foundation/contract/index.ts";
import { answerQuestion } from "../../../loop/run.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface AnswerFlags extends JsonFlags {
  readonly why?: string;
}

export async function approveCommand(
  this: CliContext,
  flags: AnswerFlags,
  question: string,
  where = ".",
): Promise<void> {
  await give(this, "approve", flags, question, where);
}

export async function rejectCommand(
  this: CliContext,
  flags: AnswerFlags,
  question: string,
  where = ".",
): Promise<void> {
  await give(this, "reject", flags, question, where);
}

/** Answers a run's question from this terminal, whoever runs in the folder. */
async function give(
  context: CliContext,
  said: OversightAnswer["answer"],
  { json, why }: AnswerFlags,
  question: string,
  where: string,
): Promise<void> {
  await answer(context, json, async () => {
    const folder = projectFolder(where);
    const given = { folder, question, answer: said, ...(why === undefined ? {} : { why }) };
    const answered = await answerQuestion(given);
    if (json) context.output.json(answered);
    else {
      const word = said === "approve" ? "Approved" : "Rejected";
      context.output.line(`${word}: ${answered.text}.`);
      context.output.line(
        answered.running
          ? "The process that runs in the folder goes on with it."
          : "It is recorded; `whetstone run` goes on with it.",
      );
    }
    return 0;
  });
}
