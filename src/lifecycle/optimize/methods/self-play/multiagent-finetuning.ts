import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { debate } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { consensus } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  agents: z.number().int().min(2).max(8).default(3),
  /** Times that each revises its response in view of the others'. */
  rounds: z.number().int().min(1).default(1),
  steps: z.number().int().min(1).default(60),
  learningRate: z.number().positive().default(5e-4),
});
export type MultiagentFinetuningOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Multi-agent finetuning (arXiv 2501.05707, section 2): agents that begin as the same weights debate; each is fine-tuned on what *it*
 * said itself in agreement with the majority of the last words, first responses and revisions, so that they stay different:
 *
 *   ŷ(x) = mode of the last words;  θ_n ← argmax_θ Σ over x and n's own responses y with answer(y) = ŷ(x) of log π_θ(y | what n saw)
 *
 * The paper trains first responses and revisions as two models an agent, and answers by a debate of all; here an agent is one
 * model, and the first of them answers.
 *
 * Defaults: 3 agents, one round of revision, 60 steps at 5e-4 each.
 *
 * @example
 * multiagentFinetuning({ agents: 3, rounds: 2 })
 */
export function multiagentFinetuning(options: MultiagentFinetuningOptions = {}): Method {
  const read = readOptions("multiagentFinetuning()", optionsSchema, options);
  const roles = Array.from({ length: read.agents }, (_, index) =>
    index === 0 ? "solver" : `agent-${index + 1}`,
  );
  const { steps, learningRate } = read;
  return {
    name: "multi-agent finetuning",
    description: read,
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "imitation",
    passes: [
      {
        roles,
        writers: ["solver"],
        generate: debate({ agents: roles, rounds: read.rounds }),
        reward: consensus(),
        update: supervised({ steps, learningRate, learnFrom: "own", replay: { newest: 1 } }),
        repeat: 1,
        start: "current",
      },
    ],
  };
}

export const multiagentFinetuningPage: MethodPage = {
  name: "multiagent-finetuning",
  title: "Multi-agent finetuning",
  paradigm: "self-play",
  reward: "self-derived",
  summary:
    "Agents debate, and each learns what it said itself in agreement with the majority of the last words.",
  formula:
    "ŷ(x) = mode of the last words;  θ_n ← argmax Σ over n's own responses y with answer(y) = ŷ(x) of log π_θ(y)",
  source: "arXiv 2501.05707, section 2",
  checked: false,
  differs:
    "equal responses to an item are learnt once; an agent is one model for first responses and revisions, and the first agent answers; the paper trains two an agent, and all debate",
  options: optionsSchema,
  make: multiagentFinetuning,
  vary: [["multiagentFinetuning({ agents: 5 })", "more voices, more models to hold"]],
};
