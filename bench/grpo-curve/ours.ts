import { arithmetic, defineRun, grpo, prompts, type RewardPart, run, type Task, verifier } from "whetstone";

export const settings = {
  items: 4,
  samples: 8,
  tokens: 16,
  steps: 30,
  learningRate: 2e-5,
} as const;

/** A trainer's steps: the mean reward of each, drawn before its update, and what they took. */
export interface Curve {
  readonly rewards: readonly number[];
  readonly seconds: number;
}

export interface OurCurve extends Curve {
  /** Of each step, what was asked: token ids of the prompts, and the answers. */
  readonly prompts: readonly (readonly number[])[];
  readonly answers: readonly string[];
}

export const task: Task = { ...arithmetic({ kinds: ["product", "sum"] }), maxTokens: () => settings.tokens };

/** One round of GRPO on SmolLM2-135M, a batch of rollouts a step. */
export async function ourCurve(seed: number, folder: string): Promise<OurCurve> {
  const asked: number[][] = [];
  const answers: string[] = [];
  const rewards: number[] = [];
  const base = verifier();
  const watched: RewardPart = {
    ...base,
    reward: async (groups, context) => {
      const scored = await base.reward(groups, context);
      for (const { item, rollouts } of groups) {
        asked.push([...(rollouts[0]?.segments[0]?.tokens ?? [])]);
        answers.push(item.answer ?? "");
      }
      const all = scored.flatMap((group) => group.rollouts.map(({ reward }) => reward ?? 0));
      rewards.push(all.reduce((sum, one) => sum + one, 0) / all.length);
      return scored;
    },
  };
  const { items, samples, steps, learningRate } = settings;
  const definition = defineRun({
    name: "grpo-curve",
    model: "smollm2-135m",
    precision: "fp32",
    task,
    acquire: [prompts({ items: items * steps })],
    select: [],
    optimize: grpo({ items, samples, steps, learningRate, optimizerState: "fresh", reward: watched }),
    guard: [],
    evaluate: { perStratum: 8, attemptItems: 0 },
    gate: { mode: "observe", cap: 10, probes: [] },
    baselines: { off: "one trainer beside another" },
    budget: { rounds: 1 },
    seed,
  });
  const { events } = await run(definition, { folder });
  const seconds = events.flatMap(({ event }) =>
    event.type === "stage-finished" && event.stage === "optimize" ? [event.seconds] : [],
  )[0];
  if (seconds === undefined || rewards.length !== steps) throw new Error("the round was not played");
  return { rewards, seconds, prompts: asked, answers };
}
