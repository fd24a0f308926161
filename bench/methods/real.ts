import {
  arithmetic,
  defineRun,
  dpo,
  grpo,
  type Method,
  preference,
  prompts,
  run,
  samples,
  selfRewarding,
  star,
  supervised,
} from "whetstone";
import { type MethodRow, rowOf } from "./mechanism.ts";

const temperature = 0.7;

/**
 * Methods on a pretrained model, each with learning rates for one: a policy of 135 million parameters moves at a hundredth of those of
 * a small transformer.
 */
const sized: Readonly<Record<string, () => Method>> = {
  star: () =>
    star({
      generate: samples({ samples: 4, temperature }),
      update: supervised({
        steps: 48,
        batch: 8,
        learningRate: 2e-5,
        optimizerState: "fresh",
        replay: { newest: 1 },
      }),
    }),
  dpo: () =>
    dpo({
      samples: 6,
      temperature,
      update: preference({
        loss: { name: "dpo", beta: 0.1, likelihood: 1 },
        steps: 24,
        batch: 8,
        learningRate: 1e-5,
      }),
    }),
  grpo: () => grpo({ items: 24, samples: 8, steps: 12, learningRate: 1e-5 }),
  "self-rewarding": () =>
    selfRewarding({
      samples: 4,
      temperature,
      update: preference({ steps: 24, batch: 8, learningRate: 5e-6 }),
    }),
};

export const realMethods = Object.keys(sized);

/**
 * SmolLM2-135M-Instruct on arithmetic in words, two rounds of 192 questions: what the pretrained weights know is learnt, the verifier's
 * verdict is given, and where the model is its own judge nothing is.
 */
export async function real(name: string, seed: number, folder: string): Promise<MethodRow> {
  const make = sized[name];
  if (make === undefined)
    throw new Error(`${name} has no run on a pretrained model; ${realMethods.join(", ")} have`);
  const definition = defineRun({
    name: `real-${name}`,
    model: "smollm2-135m",
    precision: "mixed",
    task: arithmetic(),
    acquire: [prompts({ items: 192 })],
    select: [],
    optimize: make(),
    guard: [],
    evaluate: { perStratum: 128, attemptItems: 16 },
    gate: { mode: "observe", cap: 10, probes: [] },
    baselines: { off: "one method beside others" },
    budget: { rounds: 2 },
    seed,
  });
  const { events } = await run(definition, { folder });
  return rowOf(
    name,
    "real",
    events.map(({ event }) => event),
  );
}
