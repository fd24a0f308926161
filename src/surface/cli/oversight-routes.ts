import { buildCommand } from "@stricli/core";
import type { AnswerFlags } from "./commands/answer-question.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { folder, json, needed, text } from "./route-parts.ts";

const [place] = folder("A project folder; default here").parameters;

const parameters = {
  flags: { why: text("TEXT", "Why, for the report"), json },
  positional: {
    kind: "tuple",
    parameters: [needed("ID", "The question, as `whetstone status` shows it: 1-promotion-3"), place],
  },
} as const;

export const approve = buildCommand<AnswerFlags, [string, string?], CliContext>({
  loader: async () => (await import("./commands/answer-question.ts")).approveCommand,
  parameters,
  docs: {
    brief: "Approve what a run asks: a promotion, a new source of data, more budget",
    fullDescription: describe({
      text: "From any terminal, beside the process that waits or after it has ended. `oversight` of the config says what is asked. An\nanswer is for good, and recorded with who gave it.",
      examples: [
        ["whetstone approve 1-promotion-3", "a run of this folder goes on with its promotion"],
        ['whetstone approve 1-budget-1 ../other --why "until Friday"', "in another folder, with a reason"],
      ],
    }),
  },
});

export const reject = buildCommand<AnswerFlags, [string, string?], CliContext>({
  loader: async () => (await import("./commands/answer-question.ts")).rejectCommand,
  parameters,
  docs: {
    brief: "Reject what a run asks",
    fullDescription: describe({
      text: "A promotion that is rejected is a rejection like any other: the run goes on from the candidate or the champion, as the\nconfig says. An answer is for good, and recorded with who gave it.",
      examples: [['whetstone reject 1-promotion-3 --why "it forgets dates"', "the reason is in the report"]],
    }),
  },
});
