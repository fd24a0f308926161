import type { Answers, ModelSize, TaskChoice } from "./answers.ts";

/** How a task is written into a config. */
export interface Recipe {
  /** What `init` says beside the task's name. */
  readonly hint: string;
  /** What the run does, for the config's comment. */
  readonly what: string;
  /** What of the public API the parts below use. */
  readonly imports: readonly string[];
  readonly task: (answers: Answers) => string;
  /** The model's options at each size. */
  readonly model: Readonly<Record<ModelSize, string>>;
  /** Preparation of a model from scratch. */
  readonly prepare: string;
  /** The method, and why in a few words. */
  readonly optimize: readonly [method: string, why: string];
}

/** A run grows by one a round, as far as this. */
const mostGrowth = 8;

function grown({ rounds }: Answers, base: number): string {
  return `[1, ${base}], growTo: ${base + Math.min(mostGrowth, rounds)}`;
}

/** A task without a recipe does not compile. */
export const recipes: Readonly<Record<TaskChoice, Recipe>> = {
  reverse: {
    hint: "write a string of digits backwards; ever longer ones, on labels of its own",
    what: "Learns to write short strings backwards from demonstrations, then teaches itself longer ones.",
    imports: ["agreement", "rejectionSampling", "reverse"],
    task: (answers) => `reverse({ lengths: ${grown(answers, 6)} })`,
    model: {
      tiny: "{ layers: 3, width: 64, heads: 2 }",
      small: "{ layers: 4, width: 128, heads: 4 }",
    },
    prepare: "steps: 800, learningRate: 3e-3",
    optimize: ["rejectionSampling({ reward: agreement({ peers: 2 }) })", "labels where two models agree"],
  },
  addition: {
    hint: "add two numbers; ever longer ones, from its own right answers",
    what: "Learns to add short numbers from demonstrations, then longer ones from its own right answers.",
    imports: ["addition", "rejectionSampling", "verifier"],
    task: (answers) => `addition({ digits: ${grown(answers, 5)} })`,
    model: {
      tiny: "{ layers: 3, width: 64, heads: 4 }",
      small: "{ layers: 4, width: 128, heads: 8 }",
    },
    prepare: "steps: 1500, learningRate: 4e-3",
    optimize: ["rejectionSampling({ reward: verifier() })", "labels that the task finds right"],
  },
  parity: {
    hint: "say whether the number of ones is odd; learns to write its steps out",
    what: "Few demonstrations write their steps out; the model learns from its own right answers to do so always.",
    imports: ["parity", "star"],
    task: () => "parity({ bits: 16, writtenOut: 0.15 })",
    model: {
      tiny: '{ layers: 2, width: 64, heads: 2, positions: "learned", maxPositions: 34 }',
      small: '{ layers: 3, width: 128, heads: 4, positions: "learned", maxPositions: 34 }',
    },
    prepare: "steps: 700, learningRate: 2e-3",
    optimize: ['star({ start: "current" })', "imitates its right answers"],
  },
};
